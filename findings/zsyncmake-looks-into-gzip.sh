#!/usr/bin/env bash
# zsyncmake describes what is inside a gzip file, not the file.
#
# One would guess: `zsyncmake app-1.1.tar.gz` writes `app-1.1.tar.gz.zsync`, with which a client gets `app-1.1.tar.gz`.
# What happens: zsync 0.6.2 (Debian 12) writes `app-1.1.tar.zsync`, with Filename, Length and SHA-1 of the unpacked tar,
# and the gzip file as `Z-URL`. Where the gzip file was written by zlib (Python here; most build tools use it), nothing
# tells the client how to compress again: it ends with the tar. With `-Z` the file itself is described.
# Source: zsyncmake's manual, option -Z; the header lines of the control file.
# Why it matters: archives for Linux are often .tar.gz. What the client ends with has another size and hash than the
# artifact in the release's manifest, so a client that checks them refuses every update. Block sums must be those of the
# stored bytes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

apt-get -qq -o APT::Sandbox::User= download zsync=0.6.2-5
dpkg-deb -x zsync_*.deb package
zsyncmake=$PWD/package/usr/bin/zsyncmake

python3 - <<'PYTHON'
import gzip, io, tarfile
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w") as archive:
    data = "".join(f"{number}\n" for number in range(200_000)).encode()
    entry = tarfile.TarInfo("app/numbers.txt")
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))
open("inside", "wb").write(buffer.getvalue())
open("app-1.1.tar.gz", "wb").write(gzip.compress(buffer.getvalue(), mtime=0))
PYTHON

# described OPTION...: what zsyncmake says of the gzip file; its header ends with an empty line, or where the map
# begins.
described() {
    rm -f ./*.zsync
    "$zsyncmake" "$@" -u app-1.1.tar.gz app-1.1.tar.gz
    echo "zsyncmake${1:+ $1} writes" ./*.zsync
    head -c 400 ./*.zsync | grep -a -E '^(Filename|Z-Filename|Length|SHA-1|URL|Z-URL|Recompress): '
}

# expected FILENAME LINK FILE: what it says if it is about this file.
expected() {
    printf '%s\n' "Filename: $1" "Length: $(stat -c %s "$3")" "$2: app-1.1.tar.gz"
    echo "SHA-1: $(sha1sum "$3" | cut -d' ' -f1)"
}

described | tee seen
diff seen <(echo "zsyncmake writes ./app-1.1.tar.zsync"; expected app-1.1.tar Z-URL inside)
described -Z | tee seen
diff seen <(echo "zsyncmake -Z writes ./app-1.1.tar.gz.zsync"; expected app-1.1.tar.gz URL app-1.1.tar.gz)
echo "As described."
