// Copyright 2026 The Nanotrigger authors
// SPDX-License-Identifier: Apache-2.0

// Runs the firmware on a file of input words and compares its output words with those of another file; see run.sh.

#include <fstream>
#include <iostream>
#include <pthread.h>
#include <vector>

static const long SHOWN = 10;        // differences
static const size_t STACK = 1 << 30; // bytes: all values of a network are variables of one function

struct Check {
    std::ifstream inputs, expected;
    int exit_code;
};

static int fail(const char *file, long event, const char *what) {
    std::cout << "FAIL: " << file << ", event " << event << ": " << what << std::endl;
    return 1;
}

static int compared(Check &check) {
    std::vector<double> features(INPUTS), outputs(OUTPUTS);
    long event = 0, differing = 0;
    for (long long word; check.inputs >> word; event++) {
        features[0] = word * INPUT_STEP;
        for (int i = 1; i < INPUTS; i++) {
            if (!(check.inputs >> word))
                return fail("inputs", event, "a word is missing");
            features[i] = word * INPUT_STEP;
        }
        NETWORK(features.data(), outputs.data());
        for (int i = 0; i < OUTPUTS; i++) {
            if (!(check.expected >> word))
                return fail("expected", event, "a word is missing");
            if (outputs[i] == word * OUTPUT_STEP)
                continue;
            if (++differing <= SHOWN)
                std::cout << "event " << event << ", output " << i << ": " << outputs[i] / OUTPUT_STEP << " instead of "
                          << word << std::endl;
        }
    }
    std::string rest;
    if (event == 0 || !check.inputs.eof())
        return fail("inputs", event, "no word");
    if (check.expected >> rest)
        return fail("expected", event, "has more events than the inputs");
    const long words = event * OUTPUTS;
    if (differing)
        std::cout << "FAIL: " << differing << " of " << words << " words differ" << std::endl;
    else
        std::cout << "PASS: " << words << " words of " << event << " events are equal" << std::endl;
    return differing != 0;
}

static void *run(void *argument) {
    Check &check = *static_cast<Check *>(argument);
    check.exit_code = compared(check);
    return nullptr;
}

int main(int, char **files) {
    Check check{std::ifstream(files[1]), std::ifstream(files[2]), 1};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    if (pthread_create(&thread, &attributes, run, &check))
        return fail("memory", 0, "no thread with a stack of 1 GiB can be started");
    pthread_join(thread, nullptr);
    return check.exit_code;
}
