#!/bin/sh
# Installs what make test needs and the machine lacks: the PostgreSQL server, as a
# Debian package. It says nothing when there is nothing to do. A failure is told
# and not fatal: the tests that need the server fail by themselves, and the
# others still run.
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

# The tests bring their own server. While the package is installed, Debian is
# asked not to make a cluster of its own on port 5432; the request is withdrawn
# after, so that a later package of the machine's owner works as it always does.
wish=/etc/postgresql-common/createcluster.d/samla-tests.conf
log=$(mktemp)
trap 'rm -f "$log"; as_root rm -f "$wish"; as_root rmdir "${wish%/*}" 2>/dev/null' EXIT

install_postgresql() {
	as_root apt-get install -y -q --no-install-recommends postgresql
}

{
	as_root mkdir -p "${wish%/*}" &&
		echo "create_main_cluster = false" | as_root tee "$wish" &&
		{ install_postgresql || { as_root apt-get update -q && install_postgresql; }; }
} >"$log" 2>&1 </dev/null || {
	cat "$log" >&2
	echo "deps: PostgreSQL could not be installed" >&2
}
exit 0
