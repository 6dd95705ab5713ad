// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads and stores.

#include "test/SoftCuda/Access.h"
#include "test/SoftCuda/Decoder.h"

#include <cstring>

using namespace umber::softcuda;

namespace {

/// Where an address is on the host.
template <bool IsShared>
std::byte *pointer(const Warp &warp, int64_t address) {
  return IsShared ? warp.block->shared.at(uint64_t(address))
                  : reinterpret_cast<std::byte *>(address);
}

/// Count values of type T to registers of type Register, with their signs.
template <class T, class Register, unsigned Count, bool IsShared>
bool runLoad(Warp &warp, const Instruction &in) {
  constexpr unsigned kBytes = sizeof(T) * Count;
  Lanes<int64_t> addresses = addressesOf(warp, in);
  bool isOne = IsShared ? checkShared(warp, addresses, kBytes, false)
                        : checkGlobal(warp, in, addresses, kBytes);
  Lanes<Register> loaded[Count];
  if (isOne) {
    T values[Count];
    std::memcpy(values, pointer<IsShared>(warp, addresses[0]), kBytes);
    for (unsigned i = 0; i < Count; ++i) {
      loaded[i] = splat(Register(values[i]));
    }
  } else {
    int64_t at[kLanes];
    std::memcpy(at, &addresses, sizeof at);
    Register rows[Count][kLanes];
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      T values[Count];
      std::memcpy(values, pointer<IsShared>(warp, at[lane]), kBytes);
      for (unsigned i = 0; i < Count; ++i) {
        rows[i][lane] = Register(values[i]);
      }
    }
    std::memcpy(loaded, rows, sizeof rows);
  }
  for (unsigned i = 0; i < Count; ++i) {
    warp.set<Register>(in.more[i], loaded[i]);
  }
  return true;
}

template <class T, class Register, unsigned Count, bool IsShared>
bool runStore(Warp &warp, const Instruction &in) {
  constexpr unsigned kBytes = sizeof(T) * Count;
  Lanes<int64_t> addresses = addressesOf(warp, in);
  IsShared ? checkShared(warp, addresses, kBytes, true)
           : checkGlobal(warp, in, addresses, kBytes);
  Lanes<Register> stored[Count];
  for (unsigned i = 0; i < Count; ++i) {
    stored[i] = warp.get<Register>(in.more[i]);
  }
  int64_t at[kLanes];
  Register rows[Count][kLanes];
  std::memcpy(at, &addresses, sizeof at);
  std::memcpy(rows, stored, sizeof rows);
  for (uint32_t left = warp.active; left != 0; left &= left - 1) {
    unsigned lane = unsigned(__builtin_ctz(left));
    T values[Count];
    for (unsigned i = 0; i < Count; ++i) {
      values[i] = T(rows[i][lane]);
    }
    std::memcpy(pointer<IsShared>(warp, at[lane]), values, kBytes);
  }
  return true;
}

struct Form {
  unsigned count;
  bool isShared, isStore;
};

template <class T, class Register, unsigned Count>
Run accessOf(const Form &form) {
  if (form.isStore) {
    return form.isShared ? Run(runStore<T, Register, Count, true>)
                         : Run(runStore<T, Register, Count, false>);
  }
  return form.isShared ? Run(runLoad<T, Register, Count, true>)
                       : Run(runLoad<T, Register, Count, false>);
}

template <class T, class Register>
Run accessOf(const Form &form) {
  switch (form.count) {
  case 1:
    return accessOf<T, Register, 1>(form);
  case 2:
    return accessOf<T, Register, 2>(form);
  case 4:
    // No access is of more than 16 bytes.
    if constexpr (sizeof(T) <= 4) {
      return accessOf<T, Register, 4>(form);
    }
  }
  return nullptr;
}

/// Registers may be wider than what is accessed.
template <class T>
Run accessOf(const Form &form, unsigned registerBytes) {
  if (registerBytes == 2) {
    if constexpr (sizeof(T) <= 2) {
      return accessOf<T, uint16_t>(form);
    }
  } else if (registerBytes == 4) {
    if constexpr (sizeof(T) <= 4) {
      return accessOf<T, uint32_t>(form);
    }
  } else if (registerBytes == 8) {
    return accessOf<T, uint64_t>(form);
  }
  return nullptr;
}

Run accessOf(const Form &form, Type type, unsigned registerBytes) {
  bool isSigned = type.kind == 's';
  switch (type.bits) {
  case 8:
    return isSigned ? accessOf<int8_t>(form, registerBytes)
                    : accessOf<uint8_t>(form, registerBytes);
  case 16:
    return isSigned ? accessOf<int16_t>(form, registerBytes)
                    : accessOf<uint16_t>(form, registerBytes);
  case 32:
    return isSigned ? accessOf<int32_t>(form, registerBytes)
                    : accessOf<uint32_t>(form, registerBytes);
  case 64:
    return accessOf<uint64_t>(form, registerBytes);
  }
  return nullptr;
}

/// What only caches are told.
void takeHints(Decoder &d) {
  for (const char *hint :
       {"ca", "cg", "cs", "lu", "cv", "wb", "wt", "L1::evict_last",
        "L1::no_allocate", "L1::evict_first", "L2::128B", "L2::256B"}) {
    d.take(hint);
  }
}

void decodeAccess(Decoder &d, bool isStore) {
  if (!isStore && d.take("param")) {
    decodeParameter(d);
    return;
  }
  bool isConstant = !isStore && d.take("const");
  bool isGlobal = !isConstant && d.take("global");
  bool isShared = !isConstant && !isGlobal && d.take("shared");
  d.take("volatile") || d.take("weak");
  bool isReadOnly = isGlobal && !isStore && d.take("nc");
  takeHints(d);
  if (!isGlobal && !isShared && !isConstant) {
    d.fail("only global and shared memory have accesses");
  }
  Form form = {std::max(d.takeCount("v"), 1u), isShared, isStore};
  Type type = d.takeType();
  d.expectOperands(2);
  const OperandSyntax &values = d.operand(isStore ? 1 : 0);
  std::vector<OperandSyntax> parts = {values};
  if (values.kind == OperandSyntax::List) {
    parts = values.parts;
  }
  if (parts.size() != form.count) {
    d.fail("expected a register for each value");
  }
  unsigned registerBytes = 0;
  for (const OperandSyntax &part : parts) {
    registerBytes = std::max(registerBytes, d.registerBytes(part));
  }
  if (registerBytes == 0) {
    registerBytes = std::max(type.bytes(), 2u);
  }
  Type registerType = {'b', 8 * registerBytes};
  if (registerBytes < type.bytes()) {
    d.fail("registers of fewer bits than the type");
  }
  std::vector<Slot> slots;
  for (const OperandSyntax &part : parts) {
    slots.push_back(isStore ? d.source(part, registerType)
                            : d.destination(part, registerType));
  }
  d.keep(std::move(slots));
  d.address(d.operand(isStore ? 0 : 1));
  d.in.run = accessOf(form, type, registerBytes);
  if (isShared) {
    d.noteSharedAccess(type.bytes());
  } else {
    d.addSite(isStore, isReadOnly);
  }
}

} // namespace

void umber::softcuda::addMemoryOpcodes(OpcodeTable &table) {
  table["ld"] = [](Decoder &d) { decodeAccess(d, false); };
  table["st"] = [](Decoder &d) { decodeAccess(d, true); };
}
