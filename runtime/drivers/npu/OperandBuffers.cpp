// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/OperandBuffers.h"

#include "runtime/drivers/npu/OperandOrder.h"

#include <algorithm>
#include <deque>

using namespace umber;
using namespace umber::npu;

namespace {

/// The memory of an input. Its window is kept in sets, a hundredth of the
/// memory each, which are in it as a whole.
class InputBuffer {
public:
  InputBuffer(const OperandOrder &order, int64_t words, int64_t rate)
      : rate(rate), setWords(divideUp(words, 100)),
        sets(order.words() / setWords + 1) {
    int64_t active = divideUp(words, 2), prefetch = words - active;
    activeSets = std::min(divideUp(active, setWords), sets);
    prefetchSets = std::min(divideUp(prefetch, setWords), sets - activeSets);
    firstLines =
        std::min(divideUp(active, rate), divideUp(order.slots(), rate));
    prefetchLines = divideUp(prefetch, rate);
    fetchedWords = firstLines * rate;
    // The first half is there when the array asks for its first word.
    end = activeSets;
  }

  /// The cycles that the array waits when it asks for `range` at `cycle`.
  int64_t read(WordRange range, int64_t cycle) {
    if (range.count == 0) {
      return 0;
    }
    int64_t wait = 0;
    int64_t last = (range.first + range.count - 1) / setWords;
    for (int64_t set = range.first / setWords; set <= last; ++set) {
      while (!holds(set)) {
        prefetch();
        // A cycle after the request, as a hit. What is waited for counts
        // twice, because SCALE-Sim counts it so.
        int64_t late = lastFetch - (cycle + 1 + wait);
        wait += late > 0 ? 2 * late : late;
      }
    }
    return std::max<int64_t>(0, wait);
  }

  int64_t getFirstLines() const { return firstLines; }
  int64_t getFetchedWords() const { return fetchedWords; }

private:
  bool holds(int64_t set) const {
    return start < end ? set >= start && set < end : set >= start || set < end;
  }
  void prefetch() {
    start = (start + prefetchSets) % sets;
    end = (start + activeSets) % sets;
    // A line a cycle after the fetch before, and a cycle until it is there.
    lastFetch += prefetchLines + 1;
    fetchedWords += prefetchLines * rate;
  }

  int64_t rate, setWords, sets;
  int64_t activeSets, prefetchSets;
  int64_t firstLines, prefetchLines, fetchedWords;
  int64_t start = 0, end;
  int64_t lastFetch = -1;
};

/// The memory of the outputs, which drains a half at a time, in lines of what
/// the interface takes in a cycle.
class OutputBuffer {
public:
  OutputBuffer(int64_t words, int64_t rate)
      : rate(rate), words(words), drainWords(words - divideUp(words, 2)),
        free(words) {}

  /// The cycles that the array waits when it hands out `count` words.
  int64_t write(int64_t count, int64_t cycle) {
    int64_t wait = 0;
    while (count > 0) {
      int64_t now = cycle + wait;
      // As many at once as change nothing but the free space.
      int64_t room = now < drainEnd ? free - 1 : free - (words - drainWords);
      int64_t taken = std::max<int64_t>(1, std::min(room, count));
      store(taken);
      count -= taken;
      if (now < drainEnd) {
        wait += free > 0 ? 0 : drainEnd - now;
      } else if (free < words - drainWords) {
        drain(now);
      }
    }
    return wait;
  }

  /// Drains all that is left, from `cycle` on, whether or not an earlier part
  /// still drains then; the cycle of the last line of all.
  int64_t finish(int64_t cycle) {
    flush();
    while (firstLine < lines) {
      drain(cycle);
      cycle = drainEnd + 1;
    }
    return lastDrainEnd;
  }

  int64_t getWrittenWords() const { return writtenWords; }

private:
  void store(int64_t count) {
    free -= count;
    lines += (lineWords + count) / rate;
    lineWords = (lineWords + count) % rate;
  }
  /// Ends a line that is not full.
  void flush() {
    if (lineWords > 0) {
      partial.push_back({lines++, lineWords});
      lineWords = 0;
    }
  }
  void drain(int64_t cycle) {
    flush();
    int64_t end = std::min(firstLine + divideUp(drainWords, rate), lines);
    int64_t count = (end - firstLine) * rate;
    while (!partial.empty() && partial.front().line < end) {
      // Only a last line's gap is known to be one.
      count -=
          partial.front().line == end - 1 ? rate - partial.front().words : 0;
      partial.pop_front();
    }
    drainEnd = cycle + end - firstLine - 1;
    lastDrainEnd = std::max(lastDrainEnd, drainEnd);
    free += count;
    writtenWords += count;
    firstLine = end;
  }

  struct PartialLine {
    int64_t line;
    int64_t words;
  };

  int64_t rate, words, drainWords;
  int64_t free;
  /// Lines from `firstLine` up to `lines` wait; `lineWords` are in the next.
  int64_t firstLine = 0, lines = 0, lineWords = 0;
  std::deque<PartialLine> partial;
  int64_t drainEnd = 0, lastDrainEnd = 0;
  int64_t writtenWords = 0;
};

/// Outputs of a fold in the cycle `cycle` after the first: lanes up to `lanes`,
/// each a cycle after the one before, with rows `from` up to `length`.
int64_t countOutputs(int64_t lanes, int64_t from, int64_t length,
                     int64_t cycle) {
  int64_t first = std::max<int64_t>(0, cycle - length + 1);
  int64_t last = std::min(lanes - 1, cycle - from);
  return std::max<int64_t>(0, last - first + 1);
}

} // namespace

Result<BufferedTiming> npu::runBuffered(const SystolicArray &array,
                                        const ProductShape &shape) {
  constexpr int64_t kMostCycles = int64_t(1) << 32;
  constexpr int64_t kMostWords = int64_t(1) << 28;
  SystolicFolds folds = getFolds(array, shape);
  if (folds.count() > kMostCycles / folds.foldCycles ||
      shape.rows * shape.inner > kMostWords ||
      shape.inner * shape.columns > kMostWords) {
    return Status(StatusCode::Unsupported,
                  "a product of these sizes is too large to run cycle by "
                  "cycle through limited buffers");
  }
  const int64_t height = array.rows, width = array.columns;
  const bool outputsStay = array.dataflow == Dataflow::OutputStationary;
  const bool weightsStay = array.dataflow == Dataflow::WeightStationary;
  // What goes in at the array's rows, and at its columns; one stays, except
  // where outputs do.
  const int64_t rowLanes = outputsStay ? shape.rows : shape.inner;
  const int64_t columnLanes =
      array.dataflow == Dataflow::InputStationary ? shape.rows : shape.columns;
  const int64_t load = outputsStay ? 0 : height;
  OperandOrder rowOrder(rowLanes, height, folds.streamed, true);
  OperandOrder columnOrder(columnLanes, width,
                           outputsStay ? folds.streamed : shape.inner,
                           outputsStay);
  const int64_t rate = array.interfaceWordsPerCycle;
  const bool inputsAtRows = outputsStay || weightsStay;
  InputBuffer rowBuffer(
      rowOrder, inputsAtRows ? array.inputBufferWords : array.weightBufferWords,
      rate);
  InputBuffer columnBuffer(
      columnOrder,
      inputsAtRows ? array.weightBufferWords : array.inputBufferWords, rate);
  OutputBuffer outputs(array.outputBufferWords, rate);

  BufferedTiming timing;
  int64_t line = 0;
  for (int64_t along = 0; along < folds.along; ++along) {
    const int64_t columns = std::min(width, columnLanes - along * width);
    for (int64_t across = 0; across < folds.across; ++across) {
      const int64_t rows = std::min(height, rowLanes - across * height);
      for (int64_t i = 0; i < folds.foldCycles; ++i, ++line) {
        int64_t cycle = line + timing.stallCycles;
        int64_t wait = rowBuffer.read(
            i < load ? WordRange{} : rowOrder.getDiagonal(across, i - load),
            cycle);
        WordRange column;
        int64_t written;
        if (outputsStay) {
          column = columnOrder.getDiagonal(along, i);
          // From the bottom row up, where rows may be missing.
          written = countOutputs(columns, height - rows, height,
                                 i - (folds.streamed - 1));
        } else {
          // The top row last.
          int64_t row = height - 1 - i;
          if (row >= 0 && row < rows) {
            column = columnOrder.getRow(along, across * height + row);
          }
          written =
              countOutputs(columns, 0, folds.streamed, i - (2 * height - 1));
        }
        wait = std::max(wait, columnBuffer.read(column, cycle));
        int64_t outputWait = outputs.write(written, cycle);
        timing.cycles = cycle + outputWait;
        timing.stallCycles += std::max(wait, outputWait);
      }
    }
  }
  timing.cyclesWithPrefetch =
      outputs.finish(timing.cycles) +
      std::max(rowBuffer.getFirstLines(), columnBuffer.getFirstLines());
  timing.dramReadWords =
      rowBuffer.getFetchedWords() + columnBuffer.getFetchedWords();
  timing.dramWriteWords = outputs.getWrittenWords();
  return timing;
}
