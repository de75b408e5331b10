// Copyright 2026 The Nanotrigger authors
// SPDX-License-Identifier: Apache-2.0

// oneAPI declares sine, logarithm and the like for ac_fixed here. hls4ml includes it and uses none of it.
