// Copyright 2026 The Nanotrigger authors
// SPDX-License-Identifier: Apache-2.0

// Stand-in for Intel's task sequences, which run the layers of a streaming network concurrently.

#ifndef NANOTRIGGER_TASK_SEQUENCE_HPP
#define NANOTRIGGER_TASK_SEQUENCE_HPP

#include <utility>

namespace sycl::ext::intel::experimental {

// hls4ml starts the layers in the order in which the data flow through them. Running each to its end when
// it is started therefore finds its inputs in the pipes, and gives what concurrent layers would give.
template <auto &Task, typename... Properties> class task_sequence {
  public:
    template <typename... Arguments> void async(Arguments &&...arguments) {
        Task(std::forward<Arguments>(arguments)...);
    }
};

} // namespace sycl::ext::intel::experimental

// hls4ml declares weights `static constexpr`. Intel's ac_types can be constructed at compile time; those that
// hls4ml ships cannot. The generated kernel includes this header last before its weights, and after it
// only weights and pipes are declared, so here `const`, initialized when the library loads, can take over.
#define constexpr const

#endif
