#!/bin/sh
# Compiles the firmware's C++ with g++ alone, runs it on the events in ../../tb_data, and says whether its words equal
# the expected ones: PASS, or FAIL, the first differences and exit code 1. Takes some seconds.
#
#     sh run.sh [INPUTS EXPECTED]        other files of words, as ../../tb_data/README.md describes them
#
# Beside it lie headers that stand in for SYCL's, and in ac_types/ those of Siemens (Apache-2.0), as hls4ml has them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
words=$here/../../tb_data
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
g++ -std=c++17 -w -E -I "$here" -I "$here/ac_types" \
    -D NETWORK={name}_double -D INPUTS={inputs} -D OUTPUTS={outputs} -D INPUT_STEP={input_step} -D OUTPUT_STEP={output_step} \
    -include "$here/../src/firmware/{name}.cpp" -include "$here/../src/{name}_bridge.cpp" \
    "$here/run.cpp" -o "$build/network"
# Intel's ac_types are constants of compile time, those of Siemens are not.
sed -E {substitutions} "$build/network" >"$build/network.ii"
g++ -std=c++17 -w -O2 -pthread "$build/network.ii" -o "$build/network"
"$build/network" "${{1:-$words/inputs.txt}}" "${{2:-$words/expected.txt}}"
