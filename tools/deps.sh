#!/bin/sh
# Installs what the tests need and the machine lacks: the PostgreSQL server, Chromium, the
# programs that read exported files (xmllint, ofxdump, Beancount), npm,
# and the npm packages of test/generators and test/browser. It prints nothing when there is nothing to do. A
# failure is printed and not fatal: the tests that need the missing part fail, and the
# others still run.
set -u
cd "$(dirname "$0")/.." || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

if test "$(id -u)" -eq 0; then
	as_root() { env DEBIAN_FRONTEND=noninteractive "$@"; }
else
	as_root() { sudo env DEBIAN_FRONTEND=noninteractive "$@"; }
fi

install() { as_root apt-get install -y -q --no-install-recommends "$1"; }

# apt installs a Debian package.
apt() {
	command -v apt-get >/dev/null || { echo "no apt-get: install $1 by hand"; return 1; }
	install "$1" || { as_root apt-get update -q && install "$1"; }
}

# report runs a command, and prints what it printed if it fails.
report() {
	what=$1
	shift
	"$@" >"$log" 2>&1 </dev/null || {
		cat "$log"
		echo "deps: $what could not be installed"
	} >&2
}

has_postgresql() {
	for initdb in /usr/lib/postgresql/*/bin/initdb $(command -v initdb); do
		test -x "$initdb" && return 0
	done
	return 1
}

# The tests start a server of their own. During the installation a setting keeps
# Debian from creating a cluster on port 5432; it is removed afterwards, so that a
# later installation by the owner of the machine creates one as usual.
setting=/etc/postgresql-common/createcluster.d/samla-tests.conf
postgresql() {
	as_root mkdir -p "${setting%/*}" &&
		echo "create_main_cluster = false" | as_root tee "$setting" &&
		apt postgresql
	result=$?
	as_root rm -f "$setting"
	as_root rmdir "${setting%/*}"
	return $result
}

# packages installs the npm packages of a folder where its tests run them. Those of
# test/generators include a Node of their own, because the tools need a newer one than
# Debian has. npm.log says why packages are missing; it is kept for the tests.
packages() {
	from=$1 to=$2
	mkdir -p "$to" && cp "$from/package.json" "$from/package-lock.json" "$to" && rm -f "$to/npm.log" || return 1
	command -v npm || apt npm || return 1
	(cd "$to" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$to/npm.log" 2>&1 &&
		cp "$from/package-lock.json" "$to/node_modules/installed.json" && return
	cat "$to/npm.log"
	return 1
}

needs() {
	cmp -s "$1/package-lock.json" "$2/node_modules/installed.json" || report "the packages of $1" packages "$1" "$2"
}

has_postgresql || report PostgreSQL postgresql
command -v chromium >/dev/null || report Chromium apt chromium
command -v xmllint >/dev/null || report xmllint apt libxml2-utils
command -v ofxdump >/dev/null || report ofxdump apt ofx
command -v bean-query >/dev/null || report Beancount apt beancount
needs test/generators/ts bin/generators/ts
needs test/browser/js bin/browser
exit 0
