// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adapters in Umber's own container: see umb.fbs.

#ifndef UMBER_RUNTIME_ADAPTER_ADAPTERPACKAGE_H
#define UMBER_RUNTIME_ADAPTER_ADAPTERPACKAGE_H

#include "runtime/adapter/Adapter.h"
#include "runtime/package/Package.h"

namespace umber {

/// Errors are those of Adapter::open.
Result<std::shared_ptr<const Adapter>>
readAdapterPackage(const std::string &path);

/// A target's own corrections, as an adapter whose sites are named by the
/// target's AdapterSites and whose matrices are in the target's bases; null if
/// it has none. The segments have been verified. CorruptFile, without the path,
/// where a value is not finite.
Result<std::shared_ptr<const Adapter>>
readRecovery(std::shared_ptr<const Package> package, const fbs::Target &target);

/// Writes a package, which stands at `path` when it is complete. Matrices of 16
/// or 8 bits stay as they are. Those of F32 are rounded to F16, ties to even,
/// or both of a pair to BF16 if a value of either is too large for F16;
/// InvalidArgument if one is too large for that too. Other failures are those
/// of OutputFile.
Status writeAdapterPackage(const AdapterInfo &info,
                           const std::vector<AdapterPair> &pairs,
                           const std::string &path);

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_ADAPTERPACKAGE_H
