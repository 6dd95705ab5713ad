// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/NPU/ProgramBuilder.h"

#include "targets/NPU/Operands.h"
#include "targets/NPU/ScratchpadPlanner.h"
#include "targets/NPU/SyncPlanner.h"

#include <algorithm>

namespace umber::npu {

Buffer ProgramBuilder::addBuffer(uint64_t bytes, const std::string &what,
                                 bool isPinned) {
  uint64_t most = static_cast<uint64_t>(config.scratchpad.bytes);
  if (bytes > most && status.ok()) {
    status = Status(StatusCode::Unsupported,
                    config.name + ": expected at most scratchpad.bytes, " +
                        std::to_string(most) + ", for " + what + ", found " +
                        std::to_string(bytes));
  }
  BufferInfo buffer;
  buffer.bytes = static_cast<uint32_t>(std::min(bytes, most));
  buffer.isPinned = isPinned;
  buffers.push_back(buffer);
  names.push_back(what);
  return static_cast<Buffer>(buffers.size() - 1);
}

ScratchpadAddress ProgramBuilder::at(Buffer buffer, uint64_t offset,
                                     Register base) {
  references.push_back({buffer, static_cast<uint32_t>(offset)});
  return {static_cast<uint32_t>(references.size() - 1), base};
}

ScratchpadAddress ProgramBuilder::behind(ScratchpadAddress address,
                                         uint64_t bytes) {
  Reference reference = references[address.offset];
  return at(reference.buffer, reference.offset + bytes, address.base);
}

void ProgramBuilder::add(Queue queue, Operation operation, DramObject object) {
  Step step;
  step.instruction.queue = queue;
  step.instruction.operation = std::move(operation);
  step.instruction.operationId = operationId;
  step.object = object;
  steps.push_back(std::move(step));
}

void ProgramBuilder::beginLoop(const Loop &loop) { add(Queue::System, loop); }

void ProgramBuilder::endLoop() { add(Queue::System, EndLoop()); }

void ProgramBuilder::findLifetimes() {
  uint32_t loop = UINT32_MAX;
  std::vector<Buffer> inLoop;
  for (uint32_t s = 0; s < steps.size(); ++s) {
    Operation &operation = steps[s].instruction.operation;
    if (std::holds_alternative<Loop>(operation)) {
      loop = s;
      inLoop.clear();
    } else if (std::holds_alternative<EndLoop>(operation)) {
      for (Buffer b : inLoop) {
        buffers[b].last = s;
      }
      loop = UINT32_MAX;
    }
    forEachOperand(operation, [&](ScratchpadAddress &address, bool) {
      Buffer b = references[address.offset].buffer;
      BufferInfo &buffer = buffers[b];
      buffer.first = std::min(buffer.first, std::min(s, loop));
      buffer.last = std::max(buffer.last, s);
      if (loop != UINT32_MAX) {
        inLoop.push_back(b);
      }
    });
  }
  for (BufferInfo &buffer : buffers) {
    if (buffer.isPinned && buffer.first <= buffer.last) {
      buffer.first = 0;
      buffer.last = static_cast<uint32_t>(steps.size());
    }
  }
}

Result<BuiltProgram> ProgramBuilder::finish() {
  if (!status.ok()) {
    return status;
  }
  add(Queue::System, Stop());
  findLifetimes();
  BuiltProgram built;
  built.scratchpadBytes = placeBuffers(
      buffers, static_cast<uint32_t>(config.scratchpad.granuleBytes));
  built.liveBytes = getLiveBytes(buffers);
  auto [a, b] = findOverlap(buffers);
  if (a != b) {
    return Status(StatusCode::Internal, "the scratchpad's buffers for " +
                                            names[a] + " and " + names[b] +
                                            " overlap");
  }
  if (built.scratchpadBytes > config.scratchpad.bytes) {
    return Status(StatusCode::Unsupported,
                  config.name +
                      ": expected buffers of at most "
                      "scratchpad.bytes, " +
                      std::to_string(config.scratchpad.bytes) + ", found " +
                      std::to_string(built.scratchpadBytes));
  }

  // Objects: buffers, then kernel slots, then what is in DRAM.
  uint32_t slots = static_cast<uint32_t>(config.kernelBuffer.slots);
  uint32_t firstSlot = static_cast<uint32_t>(buffers.size());
  uint32_t firstObject = firstSlot + slots;
  std::vector<std::vector<uint32_t>> overlaps(firstObject + dramObjects + 1);
  std::vector<Buffer> order(buffers.size());
  for (Buffer buffer = 0; buffer < buffers.size(); ++buffer) {
    order[buffer] = buffer;
  }
  std::sort(order.begin(), order.end(), [&](Buffer x, Buffer y) {
    return buffers[x].offset < buffers[y].offset;
  });
  for (size_t i = 0; i < order.size(); ++i) {
    const BufferInfo &x = buffers[order[i]];
    for (size_t j = i + 1; j < order.size(); ++j) {
      const BufferInfo &y = buffers[order[j]];
      if (y.offset >= x.offset + x.bytes) {
        break;
      }
      overlaps[order[i]].push_back(order[j]);
      overlaps[order[j]].push_back(order[i]);
    }
  }
  std::vector<SyncStep> sync;
  sync.reserve(steps.size());
  for (Step &step : steps) {
    SyncStep &next = sync.emplace_back();
    Operation &operation = step.instruction.operation;
    forEachOperand(operation, [&](ScratchpadAddress &address, bool writes) {
      next.accesses.push_back({references[address.offset].buffer, writes});
    });
    if (auto *stream = std::get_if<StreamWeights>(&operation)) {
      next.accesses.push_back({firstSlot + stream->slot, true});
    } else if (auto *product = std::get_if<Multiply>(&operation)) {
      next.accesses.push_back({firstSlot + product->slot, false});
    }
    if (step.object != 0) {
      bool writes = std::holds_alternative<Store>(operation) ||
                    std::holds_alternative<AppendCache>(operation);
      next.accesses.push_back({firstObject + step.object, writes});
    }
  }
  // One address is one reference, which an operand can be told twice for.
  for (size_t s = 0; s < steps.size(); ++s) {
    Operation &operation = steps[s].instruction.operation;
    std::vector<ScratchpadAddress *> addresses;
    forEachOperand(operation, [&](ScratchpadAddress &address, bool) {
      if (std::find(addresses.begin(), addresses.end(), &address) ==
          addresses.end()) {
        addresses.push_back(&address);
      }
    });
    for (ScratchpadAddress *address : addresses) {
      const Reference &reference = references[address->offset];
      address->offset = buffers[reference.buffer].offset + reference.offset;
    }
    sync[s].instruction = std::move(steps[s].instruction);
  }
  auto program = synchronize(std::move(sync), overlaps, &built.semaphores);
  if (!program.ok()) {
    return Status(program.status().code(),
                  config.name + ": " + program.status().message());
  }
  built.program = std::move(*program);
  return built;
}

} // namespace umber::npu
