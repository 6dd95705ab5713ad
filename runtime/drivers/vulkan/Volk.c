// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place where volk, which finds the Vulkan loader at run time, is code.

#define VOLK_IMPLEMENTATION
#include <volk.h>
