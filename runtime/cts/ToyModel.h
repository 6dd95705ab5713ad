/* Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The sizes of the toy model that the conformance suite runs.
 */

#ifndef UMBER_RUNTIME_CTS_TOYMODEL_H
#define UMBER_RUNTIME_CTS_TOYMODEL_H

#define TOY_VOCAB 260 /* 256 bytes and 4 special tokens */
#define TOY_WIDTH 32
#define TOY_HEADS 4
#define TOY_HEAD 8
#define TOY_CONTEXT 96
#define TOY_BATCH 8

#if defined(__x86_64__)
#define TOY_ISA "x86-64-v3"
#elif defined(__aarch64__)
#define TOY_ISA "aarch64"
#endif

#endif /* UMBER_RUNTIME_CTS_TOYMODEL_H */
