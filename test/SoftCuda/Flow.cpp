// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/SoftCuda/Decoder.h"

using namespace umber::softcuda;

namespace {

/// Statements as a graph that is walked from its end.
class Flow {
public:
  Flow(const std::vector<int64_t> &targets,
       const std::vector<bool> &conditional)
      : size(uint32_t(targets.size())), sources(size + 1) {
    for (uint32_t i = 0; i < size; ++i) {
      bool isGoingOn = targets[i] == -1 || conditional[i];
      if (isGoingOn) {
        connect(i, i + 1);
      }
      if (targets[i] != -1) {
        connect(i, targets[i] == -2 ? size : uint32_t(targets[i]));
      }
    }
    order();
  }

  /// Immediate post-dominators: "A Simple, Fast Dominance Algorithm", Cooper,
  /// Harvey and Kennedy, over the graph with its edges turned round. What never
  /// ends has the end.
  std::vector<uint32_t> postDominators() const {
    std::vector<uint32_t> dominator(size + 1, kNone);
    dominator[size] = size;
    for (bool isChanged = true; isChanged;) {
      isChanged = false;
      for (uint32_t at : reversed) {
        uint32_t found = kNone;
        for (uint32_t next : nexts[at]) {
          if (dominator[next] != kNone) {
            found = found == kNone ? next : meet(dominator, found, next);
          }
        }
        if (found != dominator[at]) {
          dominator[at] = found;
          isChanged = true;
        }
      }
    }
    for (uint32_t &found : dominator) {
      found = found == kNone ? size : found;
    }
    return dominator;
  }

private:
  static constexpr uint32_t kNone = UINT32_MAX;

  void connect(uint32_t from, uint32_t to) {
    nexts.resize(size);
    nexts[from].push_back(to);
    sources[to].push_back(from);
  }

  /// Numbers statements so that each is before those that lead to it.
  void order() {
    number.assign(size + 1, kNone);
    std::vector<bool> isSeen(size + 1, false);
    std::vector<std::pair<uint32_t, size_t>> path = {{size, 0}};
    std::vector<uint32_t> finished;
    isSeen[size] = true;
    while (!path.empty()) {
      auto &[at, edge] = path.back();
      if (edge == sources[at].size()) {
        finished.push_back(at);
        path.pop_back();
        continue;
      }
      uint32_t source = sources[at][edge++];
      if (!isSeen[source]) {
        isSeen[source] = true;
        path.push_back({source, 0});
      }
    }
    for (size_t i = finished.size(); i-- > 0;) {
      number[finished[i]] = uint32_t(finished.size() - 1 - i);
      if (finished[i] != size) {
        reversed.push_back(finished[i]);
      }
    }
  }

  uint32_t meet(const std::vector<uint32_t> &dominator, uint32_t a,
                uint32_t b) const {
    while (a != b) {
      while (number[a] > number[b]) {
        a = dominator[a];
      }
      while (number[b] > number[a]) {
        b = dominator[b];
      }
    }
    return a;
  }

  uint32_t size;
  std::vector<std::vector<uint32_t>> nexts, sources;
  std::vector<uint32_t> number, reversed;
};

} // namespace

std::vector<uint32_t>
umber::softcuda::findMeetings(const std::vector<int64_t> &targets,
                              const std::vector<bool> &isConditional) {
  std::vector<uint32_t> meetings =
      Flow(targets, isConditional).postDominators();
  meetings.pop_back();
  for (size_t i = 0; i < meetings.size(); ++i) {
    if (targets[i] < 0 || !isConditional[i]) {
      meetings[i] = 0;
    }
  }
  return meetings;
}
