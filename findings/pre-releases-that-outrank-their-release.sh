#!/usr/bin/env bash
# A pre-release by SemVer outranks its release in Debian packages, and `13.0.0-1` does so for PEP 440 too.
#
# One would guess: 13.0.0-beta.1 is older than 13.0.0 wherever versions are compared, and 13.0.0-1 as well.
# What happens: dpkg 1.21 reads what follows the hyphen as the revision of the package, so both are newer than 13.0.0:
# who has the beta is never offered the release. PEP 440 (packaging 26.4, by which tufup compares) reads `-1` as a
# post-release, newer than 13.0.0, and `-beta.1` as a pre-release. SemVer (semver 7.8.6, npm) has both older.
# Source: SemVer 2.0.0, section 11; Debian policy, section 5.6.12 (`~` sorts before the end); PEP 440, "Implicit post
# releases".
# Why it matters: one release goes out as installer, archive and .deb. Sluice orders by SemVer; a package's own version
# must be written `13.0.0~beta.1`, and a pre-release should begin with a letter.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check packaging==26.4
npm install --silent --no-audit --no-fund --ignore-scripts semver@7.8.6 >/dev/null
dpkg --version | head -1

for version in 13.0.0-beta.1 13.0.0-1 13.0.0~beta.1; do
    dpkg --compare-versions "$version" lt 13.0.0 && order=older || order=newer
    echo "$version: dpkg has it $order than 13.0.0"
    [ "$version" != 13.0.0~beta.1 ] || continue
    python/bin/python -c 'import sys; from packaging.version import Version
order = "older" if Version(sys.argv[1]) < Version("13.0.0") else "newer"
print(f"{sys.argv[1]}: packaging has it {order} than 13.0.0")' "$version"
    node -e 'const [, version] = process.argv, order = require("semver").lt(version, "13.0.0") ? "older" : "newer";
console.log(`${version}: semver has it ${order} than 13.0.0`);' "$version"
done | tee seen

diff - seen <<'EXPECTED'
13.0.0-beta.1: dpkg has it newer than 13.0.0
13.0.0-beta.1: packaging has it older than 13.0.0
13.0.0-beta.1: semver has it older than 13.0.0
13.0.0-1: dpkg has it newer than 13.0.0
13.0.0-1: packaging has it newer than 13.0.0
13.0.0-1: semver has it older than 13.0.0
13.0.0~beta.1: dpkg has it older than 13.0.0
EXPECTED
echo "As described."
