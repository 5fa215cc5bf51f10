// Draws QR codes as the server does (package qr): the bytes of a text in the smallest version at
// level L with mask 0, as the data of one SVG path (ISO/IEC 18004).
"use strict";
(() => {
  const quiet = 4;
  // Correction words of a block, and blocks, by version (table 9).
  const corrections = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30];
  const blocks = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25];
  const format = 0b111011111000100;

  // multiply multiplies in GF(2^8).
  const multiply = (a, b) => {
    let product = 0;
    for (; b; b >>= 1) {
      if (b & 1) product ^= a;
      a <<= 1;
      if (a & 256) a ^= 0x11d;
    }
    return product;
  };
  // generator returns the coefficients of the generator polynomial of a degree after the first.
  const generator = (degree) => {
    let product = [1];
    for (let i = 0, root = 1; i < degree; i++, root = multiply(root, 2)) {
      const next = [...product, 0];
      for (let j = product.length; j > 0; j--) next[j] ^= multiply(next[j - 1], root);
      product = next;
    }
    return product.slice(1);
  };
  const correction = (by, words) => {
    const rest = by.map(() => 0);
    for (const word of words) {
      const factor = word ^ rest.shift();
      rest.push(0);
      by.forEach((c, i) => (rest[i] ^= multiply(c, factor)));
    }
    return rest;
  };
  // alignments returns the rows, and the columns, of the centres of alignment patterns.
  const alignments = (version) => {
    if (version === 1) return [];
    const last = Math.floor(version / 7) + 1;
    const distance = version === 32 ? 26 : Math.floor((4 * version + 2 * last + 3) / (2 * last)) * 2;
    return [6, ...Array.from({ length: last }, (_, i) => 4 * version + 10 - (last - 1 - i) * distance)];
  };

  // grid returns the modules of a version without data: undefined is where data goes.
  const grid = (version) => {
    const size = 17 + 4 * version;
    const g = Array.from({ length: size }, () => new Array(size));
    const set = (x, y, dark) => {
      if (g[y] && x >= 0 && x < size) g[y][x] = dark;
    };
    const rings = (x, y, radius, light) => {
      for (let dy = -radius; dy <= radius; dy++)
        for (let dx = -radius; dx <= radius; dx++) set(x + dx, y + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
    };
    for (let i = 0; i < size; i++) {
      set(6, i, i % 2 === 0);
      set(i, 6, i % 2 === 0);
    }
    const centres = alignments(version);
    const last = centres.length - 1;
    centres.forEach((y, i) => centres.forEach((x, j) => {
      if (!((i === 0 && (j === 0 || j === last)) || (i === last && j === 0))) rings(x, y, 2, [1]);
    }));
    for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) rings(x, y, 4, [2, 4]);
    for (let i = 0; i < 15; i++) {
      const dark = ((format >> i) & 1) === 1;
      if (i < 8) set(8, i < 6 ? i : i + 1, dark);
      else set(i === 8 ? 7 : 14 - i, 8, dark);
      if (i < 8) set(size - 1 - i, 8, dark);
      else set(8, size - 15 + i, dark);
    }
    set(8, size - 8, true);
    if (version > 6) {
      let rest = version;
      for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
      for (let i = 0; i < 18; i++) {
        const dark = ((((version << 12) | rest) >> i) & 1) === 1;
        set(size - 11 + (i % 3), Math.floor(i / 3), dark);
        set(Math.floor(i / 3), size - 11 + (i % 3), dark);
      }
    }
    return g;
  };

  // codewords returns the words of a text in the order in which they are placed.
  const codewords = (bytes, version, dataWords) => {
    const bits = [4, ...(version > 9 ? [bytes.length >> 12, (bytes.length >> 8) & 15] : []), (bytes.length >> 4) & 15, bytes.length & 15];
    for (const b of bytes) bits.push(b >> 4, b & 15);
    bits.push(0);
    const data = [];
    for (let i = 0; i < bits.length; i += 2) data.push((bits[i] << 4) | bits[i + 1]);
    for (let pad = 0xec; data.length < dataWords; pad ^= 0xfd) data.push(pad);
    const n = blocks[version - 1];
    const by = generator(corrections[version - 1]);
    const parts = [];
    for (let i = 0, at = 0; i < n; i++) {
      const length = Math.floor(dataWords / n) + (i >= n - (dataWords % n) ? 1 : 0);
      parts.push(data.slice(at, at + length));
      at += length;
    }
    const ends = parts.map((part) => correction(by, part));
    const words = [];
    for (let i = 0; i < parts[n - 1].length; i++) for (const part of parts) if (i < part.length) words.push(part[i]);
    for (let i = 0; i < by.length; i++) for (const end of ends) words.push(end[i]);
    return words;
  };

  // qr returns { path, side } of a text, or null if it is too long.
  const qr = (text) => {
    const bytes = new TextEncoder().encode(text);
    for (let version = 1; version <= 40; version++) {
      if (bytes.length + 2 + (version > 9 ? 1 : 0) > capacity(version)) continue;
      return draw(grid(version), codewords(bytes, version, capacity(version)));
    }
    return null;
  };
  // capacity returns the data words of a version.
  const capacity = (version) => {
    const n = version === 1 ? 0 : Math.floor(version / 7) + 2;
    const size = 17 + 4 * version;
    const modules = size * size - 192 - 2 * (size - 16) - 31 - (n ? 25 * (n * n - 3) - 10 * (n - 2) : 0) - (version > 6 ? 36 : 0);
    return (modules >> 3) - blocks[version - 1] * corrections[version - 1];
  };
  const draw = (g, words) => {
    const size = g.length;
    let at = 0;
    for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
      if (right === 6) right--;
      for (let i = 0; i < size; i++) {
        const y = up ? size - 1 - i : i;
        for (const x of [right, right - 1]) {
          if (g[y][x] !== undefined) continue;
          const bit = ((words[at >> 3] || 0) >> (7 - (at & 7))) & 1;
          g[y][x] = (bit ^ ((x + y) % 2 === 0 ? 1 : 0)) === 1;
          at++;
        }
      }
    }
    let path = "";
    g.forEach((row, y) => {
      for (let x = 0; x < size; x++) {
        let run = 0;
        while (row[x + run]) run++;
        if (!run) continue;
        path += `M${x + quiet} ${y + quiet}h${run}v1h-${run}z`;
        x += run;
      }
    });
    return { path, side: size + 2 * quiet };
  };

  window.samlaLook.qr = qr;
})();
