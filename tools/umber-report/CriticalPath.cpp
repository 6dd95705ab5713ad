// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/CriticalPath.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace umber::tools {

using namespace npu;

namespace {

/// Times that differ by less are one: a cycle is a hundred times as long.
constexpr double kSame = 1e-12;

constexpr size_t kNone = SIZE_MAX;

class Finder {
public:
  Finder(const std::vector<PathCommand> &commands, double latency)
      : commands(commands), latency(latency), order(commands.size()),
        before(commands.size(), kNone) {
    path.seconds.resize(commands.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::pair(commands[a].end, a) < std::pair(commands[b].end, b);
    });
    std::array<size_t, kQueues> last;
    last.fill(kNone);
    for (size_t i = 0; i < commands.size(); ++i) {
      size_t &known = last[unsigned(commands[i].queue)];
      before[i] = known;
      known = i;
      if (commands[i].channel > 0) {
        moving[unsigned(commands[i].queue)].push_back(i);
      }
    }
  }

  CriticalPath run() {
    if (commands.empty()) {
      return std::move(path);
    }
    size_t current = order.back();
    double until = commands[current].end;
    while (true) {
      auto [begin, next] = goBack(current);
      add(current, begin, until);
      if (next == kNone) {
        path.waiting += begin;
        return std::move(path);
      }
      until = std::min(begin, commands[next].end);
      path.waiting += begin - until;
      current = next;
    }
  }

private:
  /// When a command's own time begins, and what it had to wait for then.
  std::pair<double, size_t> goBack(size_t index) const {
    const PathCommand &command = commands[index];
    size_t queued = before[index];
    // It is issued while the queue's one before still moves its data.
    if (command.channel > 0 && queued != kNone &&
        commands[queued].end > command.start + kSame) {
      return {commands[queued].end, queued};
    }
    auto after = std::upper_bound(
        order.begin(), order.end(), command.start + kSame,
        [&](double time, size_t at) { return time < commands[at].end; });
    if (after == order.begin()) {
      return {command.start, kNone};
    }
    // The queue's own, if it is among those that end then.
    size_t last = *std::prev(after);
    if (queued != kNone && commands[queued].end >= commands[last].end - kSame) {
      last = queued;
    }
    return {command.start, last};
  }

  void add(size_t index, double begin, double end) {
    const PathCommand &command = commands[index];
    double left = end - begin;
    if (command.channel == 0) {
      path.seconds[index] += left;
      return;
    }
    if (begin <= command.start + kSame) {
      double waited = std::min(latency, left);
      path.waiting += waited;
      begin += waited;
      left -= waited;
    }
    double own = std::min(left, command.alone);
    path.seconds[index] += own;
    double beyond = left - own;
    if (!command.isDramBound || beyond <= 0) {
      path.seconds[index] += beyond;
      return;
    }
    share(index, begin, end, beyond);
  }

  /// Gives `beyond` to what other queues move between `begin` and `end`.
  void share(size_t index, double begin, double end, double beyond) {
    std::vector<std::pair<size_t, double>> others;
    double all = 0;
    for (unsigned q = 0; q < kQueues; ++q) {
      if (q == unsigned(commands[index].queue)) {
        continue;
      }
      auto at = std::partition_point(
          moving[q].begin(), moving[q].end(),
          [&](size_t other) { return commands[other].end <= begin; });
      for (; at != moving[q].end() && commands[*at].start < end; ++at) {
        const PathCommand &other = commands[*at];
        double overlap =
            std::min(end, other.end) - std::max(begin, other.start);
        double need = other.channel * overlap / (other.end - other.start);
        if (need > 0) {
          others.push_back({*at, need});
          all += need;
        }
      }
    }
    double given = std::min(beyond, all);
    for (auto [other, need] : others) {
      path.seconds[other] += given * need / all;
    }
    path.seconds[index] += beyond - given;
  }

  const std::vector<PathCommand> &commands;
  double latency;
  /// Commands by their ends.
  std::vector<size_t> order;
  /// The queue's command before.
  std::vector<size_t> before;
  std::array<std::vector<size_t>, kQueues> moving;
  CriticalPath path;
};

} // namespace

CriticalPath findCriticalPath(const std::vector<PathCommand> &commands,
                              double latency) {
  return Finder(commands, latency).run();
}

} // namespace umber::tools
