// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The largest logits of a row, through a tree. Its leaves are the logits, and a
// node stands for the best of kChildren nodes below it. Whatever is among the K
// best of a level is below one of the K best nodes of the level above, for the
// others have K better ones beside them. So from the top, where nodes are few
// enough to be sorted, each level is a sort of the children of the K best
// nodes: as much work for any logits, and nothing that depends on the order in
// which threads run.
//
// Children of a node are as far apart as the level has nodes: neighbouring
// threads read neighbouring logits, and which node a logit is below is its id
// modulo the sizes of the levels, from the lowest on.

#include "targets/GPU/Selection.h"
#include "llvm/Support/MathExtras.h"
#include <cstdint>

using namespace mlir;

namespace umber::gpu {

namespace {

constexpr int64_t kChildren = 8;
/// The most nodes of the top level, and children of all candidates.
constexpr int64_t kMostSorted = kMostCandidates * kChildren;
constexpr int64_t kSelectionThreads = kMaxThreads;

/// Comes behind every logit, and as keys are compared as signed integers, has
/// nothing below it.
constexpr int64_t kNoKey = INT32_MIN;
/// Comes before every number.
constexpr int64_t kNaNKey = INT32_MAX;

/// A logit as the host orders them: by a key whose order is the logits', larger
/// ones first, and where those are equal by the token's id, the smaller first.
struct Entry {
  Value key, id;
};

enum Buffer : unsigned { Step, Logits, Nodes, Candidates, Buffers };

class SelectionEmitter {
public:
  SelectionEmitter(EntryPoints &entries, PlannedProgram &program, int64_t vocab,
                   Location loc, Api api)
      : entries(entries), program(program), vocab(vocab), loc(loc), api(api) {
    sizes.push_back(vocab);
    while (sizes.back() > kMostSorted) {
      sizes.push_back(llvm::divideCeil(sizes.back(), kChildren));
    }
    // What is between the logits and the top is in memory.
    for (size_t level = 1; level + 1 < sizes.size(); ++level) {
      offsets[level] = nodesOfRow;
      nodesOfRow += sizes[level];
    }
  }

  void emit();

private:
  using Emit = llvm::function_ref<void(Value row)>;

  /// A launch that has its rows along `axis`.
  void launch(StringRef stage, mlir::gpu::Dimension axis, LaunchGrid grid,
              Emit emit);
  void emitLevel(size_t level);
  void emitTop();

  Entry none() { return {l->i32(kNoKey), l->i32(INT32_MAX)}; }
  Entry select(Value condition, Entry a, Entry b) {
    return {l->select(condition, a.key, b.key),
            l->select(condition, a.id, b.id)};
  }
  Value isBefore(Entry a, Entry b) {
    Value isLarger = l->less(b.key, a.key);
    Value isTied = l->both(l->equal(a.key, b.key), l->less(a.id, b.id));
    return l->bitOr(isLarger, isTied);
  }

  Entry readLogit(Value id);
  /// What a node stands for, from memory; none where the level has no such
  /// node.
  Entry readNode(size_t level, Value node);
  /// The same of a node that is not in memory, from those below it.
  Entry findNode(size_t level, Value node);

  Entry loadSorted(Value i) { return {l->load(keys, i), l->load(ids, i)}; }
  void storeSorted(Entry entry, Value i) {
    l->store(entry.key, keys, i);
    l->store(entry.id, ids, i);
  }
  void forOwn(int64_t count, LaunchBuilder::Body body) {
    l->forEach(l->getThread(), l->index(count), l->index(kSelectionThreads),
               body);
  }
  /// Makes what all threads have stored `count` entries, with none behind them
  /// up to a power of two, and sorts them.
  void sort(int64_t count);

  EntryPoints &entries;
  PlannedProgram &program;
  const int64_t vocab;
  Location loc;
  Api api;
  /// Nodes of each level, from the logits on, and where it is among a row's.
  SmallVector<int64_t> sizes;
  llvm::DenseMap<size_t, int64_t> offsets;
  int64_t nodesOfRow = 0;

  // The launch under construction.
  std::unique_ptr<LaunchBuilder> l;
  Value row;
  Value keys, ids; ///< entries in the workgroup's memory
};

void SelectionEmitter::launch(StringRef stage, mlir::gpu::Dimension axis,
                              LaunchGrid grid, Emit emit) {
  l = std::make_unique<LaunchBuilder>(entries.getModule(), loc, api, Buffers,
                                      kSelectionThreads);
  row = l->getGroup(axis);
  Value wanted = l->toIndex(
      l->load(l->getBuffer(Step), l->index(int64_t(StepWord::Candidates))));
  l->ifTrue(l->less(row, wanted), [&] { emit(row); });
  PlannedDispatch made;
  made.name = ("candidates:" + stage).str();
  made.ofOutputs = true;
  made.grid = grid;
  made.grid.threads = kSelectionThreads;
  using Kind = BufferBinding::Kind;
  // Nothing else of the arena is alive when these run.
  const BufferBinding bindings[] = {{Kind::Step, 0, 0},
                                    {Kind::Logits, 0, 0},
                                    {Kind::Arena, 0, 0},
                                    {Kind::Candidates, 0, 0}};
  for (unsigned number : l->finish()) {
    made.bindings.push_back(bindings[number]);
  }
  made.kernel = entries.add(l->getFunction(), ("candidates_" + stage).str());
  program.dispatches.push_back(std::move(made));
  l.reset();
}

Entry SelectionEmitter::readLogit(Value id) {
  Value bits =
      l->load(l->getBuffer(Logits), l->add(l->mul(row, l->index(vocab)), id));
  Value magnitude = l->bitAnd(bits, l->i32(INT32_MAX));
  // Zeros of both signs are equal.
  Value key = l->select(l->less(bits, l->i32(0)), l->sub(l->i32(0), magnitude),
                        magnitude);
  Value isNaN = l->less(l->i32(0x7f800000), magnitude);
  return {l->select(isNaN, l->i32(kNaNKey), key), l->toI32(id)};
}

Entry SelectionEmitter::readNode(size_t level, Value node) {
  Value exists = l->less(node, l->index(sizes[level]));
  Value at = l->select(exists, node, l->index(0));
  if (level > 0) {
    Value offset =
        l->add(l->mul(row, l->index(nodesOfRow)), l->index(offsets[level]));
    at = l->toIndex(l->load(l->getBuffer(Nodes), l->add(offset, at)));
  }
  return select(exists, readLogit(at), none());
}

Entry SelectionEmitter::findNode(size_t level, Value node) {
  Entry best = readNode(level - 1, node);
  for (int64_t i = 1; i < kChildren; ++i) {
    Entry child = readNode(level - 1, l->add(node, l->index(i * sizes[level])));
    best = select(isBefore(child, best), child, best);
  }
  return best;
}

void SelectionEmitter::emitLevel(size_t level) {
  auto groups = uint32_t(llvm::divideCeil(sizes[level], kSelectionThreads));
  launch("level" + std::to_string(level), mlir::gpu::Dimension::y,
         {groups, uint32_t(program.maxTokens), 1}, [&](Value row) {
           Value node = l->add(l->mul(l->getGroup(mlir::gpu::Dimension::x),
                                      l->index(kSelectionThreads)),
                               l->getThread());
           l->ifTrue(l->less(node, l->index(sizes[level])), [&] {
             Value at = l->add(l->mul(row, l->index(nodesOfRow)),
                               l->index(offsets[level]));
             l->store(findNode(level, node).id, l->getBuffer(Nodes),
                      l->add(at, node));
           });
         });
}

/// A bitonic sort (Batcher: Sorting networks and their applications, 1968).
void SelectionEmitter::sort(int64_t count) {
  auto padded = int64_t(llvm::PowerOf2Ceil(count));
  forOwn(padded - count,
         [&](Value i) { storeSorted(none(), l->add(i, l->index(count))); });
  l->barrier();
  auto powerOfTwo = [&](Value exponent) {
    return l->toIndex(l->shiftLeft(l->i32(1), l->toI32(exponent)));
  };
  Value zero = l->index(0), one = l->index(1);
  l->forEach(zero, l->index(llvm::Log2_64(padded)), one, [&](Value phase) {
    // Of blocks of twice this length every other one is sorted backwards.
    Value length = powerOfTwo(phase);
    l->forEach(zero, l->add(phase, one), one, [&](Value step) {
      Value distance = powerOfTwo(l->sub(phase, step));
      forOwn(padded / 2, [&](Value pair) {
        Value inBlock = l->bitAnd(pair, l->sub(distance, one));
        Value lower =
            l->add(l->mul(l->sub(pair, inBlock), l->index(2)), inBlock);
        Value upper = l->add(lower, distance);
        Value isForwards = l->equal(l->bitAnd(pair, length), zero);
        Entry a = loadSorted(lower), b = loadSorted(upper);
        Entry first = select(isForwards, b, a),
              second = select(isForwards, a, b);
        l->ifTrue(isBefore(first, second), [&] {
          storeSorted(b, lower);
          storeSorted(a, upper);
        });
      });
      l->barrier();
    });
  });
}

void SelectionEmitter::emitTop() {
  size_t level = sizes.size() - 1;
  const int64_t candidates = program.candidates;
  launch("top", mlir::gpu::Dimension::x, {uint32_t(program.maxTokens), 1, 1},
         [&](Value row) {
           keys = l->allocateShared(kMostSorted);
           ids = l->allocateShared(kMostSorted);
           forOwn(sizes[level], [&](Value node) {
             storeSorted(level > 0 ? findNode(level, node) : readLogit(node),
                         node);
           });
           sort(sizes[level]);
           Value chosen =
               level > 0 ? l->allocateShared(kMostCandidates) : Value();
           for (; level > 0; --level) {
             int64_t parents = std::min(candidates, sizes[level]);
             forOwn(parents,
                    [&](Value i) { l->store(l->load(ids, i), chosen, i); });
             l->barrier();
             forOwn(parents * kChildren, [&](Value i) {
               Value node =
                   l->toIndex(l->load(chosen, l->div(i, l->index(kChildren))));
               for (size_t below = 1; below <= level; ++below) {
                 node = l->rem(node, l->index(sizes[below]));
               }
               Value child = l->rem(i, l->index(kChildren));
               node = l->add(node, l->mul(child, l->index(sizes[level])));
               storeSorted(readNode(level - 1, node), i);
             });
             sort(parents * kChildren);
           }
           forOwn(candidates, [&](Value i) {
             Value id = l->load(ids, i);
             Value at = l->mul(l->add(l->mul(row, l->index(candidates)), i),
                               l->index(2));
             Value logit =
                 l->load(l->getBuffer(Logits),
                         l->add(l->mul(row, l->index(vocab)), l->toIndex(id)));
             l->store(id, l->getBuffer(Candidates), at);
             l->store(logit, l->getBuffer(Candidates), l->add(at, l->index(1)));
           });
         });
}

void SelectionEmitter::emit() {
  program.candidates = std::min(vocab, kMostCandidates);
  program.arenaBytes = std::max<uint64_t>(
      program.arenaBytes, program.maxTokens * nodesOfRow * sizeof(uint32_t));
  for (size_t level = 1; level + 1 < sizes.size(); ++level) {
    emitLevel(level);
  }
  emitTop();
}

} // namespace

void addSelection(EntryPoints &entries, PlannedProgram &program, int64_t vocab,
                  Location loc, Api api) {
  SelectionEmitter(entries, program, vocab, loc, api).emit();
}

} // namespace umber::gpu
