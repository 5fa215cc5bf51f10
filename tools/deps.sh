#!/bin/sh
# Installs the PostgreSQL server as a Debian package if the machine has none. It
# prints nothing when there is nothing to do. A failure is printed and not fatal:
# the tests that need the server fail, and the others still run.
set -u

for initdb in /usr/lib/postgresql/*/bin/initdb $(command -v initdb); do
	test -x "$initdb" && exit 0
done

if ! command -v apt-get >/dev/null; then
	echo "deps: no PostgreSQL server and no apt-get: install the server programs of PostgreSQL 13 or later" >&2
	exit 0
fi
if test "$(id -u)" -eq 0; then
	as_root() { env DEBIAN_FRONTEND=noninteractive "$@"; }
else
	as_root() { sudo env DEBIAN_FRONTEND=noninteractive "$@"; }
fi

# The tests start a server of their own. During the installation a setting keeps
# Debian from creating a cluster on port 5432; it is removed afterwards, so that a
# later installation by the owner of the machine creates one as usual.
setting=/etc/postgresql-common/createcluster.d/samla-tests.conf
log=$(mktemp)
trap 'rm -f "$log"; as_root rm -f "$setting"; as_root rmdir "${setting%/*}" 2>/dev/null' EXIT

install_postgresql() {
	as_root apt-get install -y -q --no-install-recommends postgresql
}

{
	as_root mkdir -p "${setting%/*}" &&
		echo "create_main_cluster = false" | as_root tee "$setting" &&
		{ install_postgresql || { as_root apt-get update -q && install_postgresql; }; }
} >"$log" 2>&1 </dev/null || {
	cat "$log" >&2
	echo "deps: PostgreSQL could not be installed" >&2
}
exit 0
