// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Pattern.h"

namespace umber {

namespace {

/// Instructions at a place in the text, each once.
class States {
public:
  explicit States(size_t count) : marks(count, 0) {}

  void clear() {
    states.clear();
    ++generation;
  }
  /// False if it was there.
  bool add(uint32_t state) {
    if (marks[state] == generation) {
      return false;
    }
    marks[state] = generation;
    states.push_back(state);
    return true;
  }
  size_t size() const { return states.size(); }
  uint32_t operator[](size_t i) const { return states[i]; }

private:
  std::vector<uint64_t> marks;
  std::vector<uint32_t> states;
  uint64_t generation = 1;
};

} // namespace

// All the ways to match are followed at once (Thompson, 1968).
bool Pattern::run(std::string_view text, bool toEnd) const {
  States now(program.size()), next(program.size());
  now.add(0);
  for (size_t at = 0;; ++at) {
    next.clear();
    // Grows while it is walked: what needs no character is at this place too.
    for (size_t i = 0; i < now.size(); ++i) {
      uint32_t state = now[i];
      const Instruction &step = program[state];
      switch (step.kind) {
      case Kind::Match:
        if (!toEnd || at == text.size()) {
          return true;
        }
        break;
      case Kind::Fork:
        now.add(step.other);
        if (!step.onlyOther) {
          now.add(state + 1);
        }
        break;
      case Kind::Begin:
      case Kind::End:
        if (at == (step.kind == Kind::Begin ? 0 : text.size())) {
          now.add(state + 1);
        }
        break;
      case Kind::Char:
        if (at < text.size() && sets[step.set][uint8_t(text[at])]) {
          next.add(state + 1);
        }
        break;
      }
    }
    if (at == text.size() || next.size() == 0) {
      return false;
    }
    std::swap(now, next);
  }
}

} // namespace umber
