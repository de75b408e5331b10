// Copyright 2026 The Nanotrigger authors
// SPDX-License-Identifier: Apache-2.0

// Stand-in for Intel's FPGA extensions to SYCL: device selectors, interface properties and pipes.

#ifndef NANOTRIGGER_FPGA_EXTENSIONS_HPP
#define NANOTRIGGER_FPGA_EXTENSIONS_HPP

#include <sycl/sycl.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>

namespace sycl::ext::intel {

struct device_selector {};
inline constexpr device_selector fpga_emulator_selector_v{};

namespace experimental {

template <int Cycles> struct ready_latency_key {};
template <int Cycles> inline constexpr ready_latency_key<Cycles> ready_latency{};

template <typename... Options> struct streaming_interface_key {};
template <typename... Options> inline constexpr streaming_interface_key<Options...> streaming_interface{};

template <typename... Options> struct pipelined_key {};
template <typename... Options> inline constexpr pipelined_key<Options...> pipelined{};

// A pipe is known by its type alone; Name tells two pipes of the same data apart.
//
// The number, kinds and order of the parameters are those of Intel's pipe: hls4ml's nnet::ExtractPipeType
// finds the data type of a pipe by matching them.
//
// The capacity is not enforced: tasks run one after the other here, so a task writes its whole output
// before the next one reads, where hardware would have both running and stall the writer instead.
template <class Name, class Data, std::int32_t MinimumCapacity = 0, class Properties = oneapi::experimental::properties<>,
          typename... Others>
class pipe {
  public:
    static void write(const Data &data) { words().push_back(data); }
    static void write(queue &, const Data &data) { write(data); }

    static Data read() {
        // Hardware would wait for ever. Words can only be missing if a layer wrote too few.
        if (words().empty()) {
            std::fprintf(stderr, "read from an empty pipe: %s\n", __PRETTY_FUNCTION__);
            std::abort();
        }
        Data data = words().front();
        words().pop_front();
        return data;
    }
    static Data read(queue &) { return read(); }

  private:
    static std::deque<Data> &words() {
        static std::deque<Data> queued;
        return queued;
    }
};

} // namespace experimental
} // namespace sycl::ext::intel

#endif
