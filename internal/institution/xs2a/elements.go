package xs2a

// maxElements is the number of elements that the lists of one answer may have: an answer
// within the limit of bytes could still fill the memory once it is decoded. A page of 16 MiB
// has about 50 000 rows.
const maxElements = 200_000
