// Copyright 2026 The Nanotrigger authors
// SPDX-License-Identifier: Apache-2.0

// oneAPI's name for the header that hls4ml ships as ac_int.h.
#include <ac_int.h>
