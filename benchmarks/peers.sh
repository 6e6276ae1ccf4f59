#!/usr/bin/env bash
# Make the environment of the programs in Python that sparsemixed is compared with: benchmarks/peers.sh [FOLDER]
#
# FOLDER is build/peers by default, where the benchmarks look; another one is named to them by its interpreter,
# PEERS_PYTHON=FOLDER/bin/python. $PYTHON (default: python3) makes it, from the list $PEERS (default: benchmarks/peers.txt). Ends at
# once when nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-build/peers}
peers=${PEERS:-benchmarks/peers.txt}
stamp=$folder/made-of.txt
if [ -x "$folder/bin/python" ] && cmp -s "$peers" "$stamp"; then
    exit 0
fi
mkdir -p "$(dirname "$folder")"
"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: -r "$peers"
cp "$peers" "$stamp"
