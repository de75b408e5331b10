// Copyright 2026 The Nanotrigger authors
// SPDX-License-Identifier: Apache-2.0

// A stand-in for SYCL on the host: just enough for a firmware project that hls4ml wrote for oneAPI to
// compile with an ordinary C++17 compiler, but for a few constants (emulate.py). A kernel runs at once, in the caller's thread,
// and pipes are queues; so the numbers are those of the firmware, and nothing here has a clock.
// The fixed-point types are those of the ac_types headers that hls4ml itself ships.

#ifndef NANOTRIGGER_SYCL_HPP
#define NANOTRIGGER_SYCL_HPP

#include <exception>
#include <stdexcept>
#include <vector>

// Marks functions that device code calls in another file. Here the host is the device.
#define SYCL_EXTERNAL

namespace nanotrigger {

// Returns weights made of plain numbers (emulate.py).
template <typename Values> Values filled(const double *numbers) {
    Values values;
    for (auto &value : values)
        value = *numbers++;
    return values;
}

} // namespace nanotrigger

namespace sycl {

class exception : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

using exception_list = std::vector<std::exception_ptr>;

namespace property::queue {
struct enable_profiling {};
} // namespace property::queue

class queue {
  public:
    // The device, the error handler and the properties choose where and how to run: here there is one way.
    template <typename... Options> explicit queue(Options &&...) {}

    template <typename Name, typename Kernel> void single_task(const Kernel &kernel) { kernel(); }

    void wait() {}
};

namespace ext::oneapi::experimental {

// Compile-time hints to the FPGA compiler, such as how the kernel's interface looks; none changes a number.
template <typename... Hints> struct properties {
    constexpr explicit properties(Hints...) {}
};

struct properties_tag {};

} // namespace ext::oneapi::experimental
} // namespace sycl

#endif
