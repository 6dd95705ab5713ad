// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/DramChannel.h"

#include <algorithm>
#include <limits>

using namespace umber;
using namespace umber::npu;

DramChannel::DramChannel(const Config &config)
    : burst(static_cast<uint64_t>(config.dram.burstBytes)) {
  const DramConfig &dram = config.dram;
  // Little's law: so many bursts under way, each for a latency.
  auto outstanding = [&](int64_t requests) {
    return dram.latencySeconds == 0
               ? std::numeric_limits<double>::infinity()
               : static_cast<double>(requests * dram.burstBytes) /
                     dram.latencySeconds;
  };
  auto bandwidth = [&](int64_t requests) {
    return std::min(dram.bytesPerSecond * dram.efficiency,
                    outstanding(requests)) /
           config.arrayHz;
  };
  readBandwidth = bandwidth(dram.maxReads);
  writeBandwidth = bandwidth(dram.maxWrites);
  engineRate = dram.engineBytesPerSecond / config.arrayHz;
}

uint64_t DramChannel::getMovedBytes(const Work &work) const {
  auto round = [&](uint64_t bytes) {
    return (bytes + burst - 1) / burst * burst;
  };
  auto moved = [&](uint64_t bytes) {
    if (work.segmentBytes == 0 || work.segmentBytes >= bytes) {
      return round(bytes);
    }
    return bytes / work.segmentBytes * round(work.segmentBytes) +
           round(bytes % work.segmentBytes);
  };
  return moved(work.readBytes) + moved(work.writeBytes);
}

double DramChannel::getBandwidth(const Work &work) const {
  return work.writeBytes == 0  ? readBandwidth
         : work.readBytes == 0 ? writeBandwidth
                               : std::min(readBandwidth, writeBandwidth);
}

double DramChannel::getEngineRate(const Work &work) const {
  return work.streamsWeights ? std::numeric_limits<double>::infinity()
                             : engineRate;
}

void DramChannel::start(unsigned queue, const Work &work,
                        double mostBytesPerCycle) {
  Stream &stream = streams[queue];
  stream = Stream();
  stream.active = true;
  stream.remaining = static_cast<double>(getMovedBytes(work));
  stream.bandwidth = getBandwidth(work);
  stream.isEngineLimited = getEngineRate(work) < mostBytesPerCycle;
  stream.most = std::min(getEngineRate(work), mostBytesPerCycle);
  ++active;
  share();
}

double DramChannel::getRemainingCycles(unsigned queue) const {
  return streams[queue].remaining / streams[queue].rate;
}

void DramChannel::advance(double cycles) {
  for (Stream &stream : streams) {
    if (stream.active) {
      stream.remaining -= stream.rate * cycles;
      stream.usage.cycles += cycles;
      stream.usage.limitedCycles +=
          stream.limited && !stream.isEngineLimited ? cycles : 0;
    }
  }
}

bool DramChannel::isDone(unsigned queue, double now) const {
  // A thousandth of a cycle is far below what the model knows, and far above
  // what adding up times loses; from 2^30 cycles on, that is more.
  double cycles = std::max(1e-3, now * 0x1p-40);
  return streams[queue].remaining <= streams[queue].rate * cycles;
}

DramChannel::Usage DramChannel::finish(unsigned queue) {
  streams[queue].active = false;
  --active;
  share();
  return streams[queue].usage;
}

void DramChannel::share() {
  for (Stream &stream : streams) {
    stream.limited = false;
  }
  // Streams that take less than an equal part get what they can take; what
  // that leaves is shared again among the others.
  double left = 1;
  unsigned sharing = active;
  for (bool changed = true; changed && sharing > 0;) {
    changed = false;
    double part = left / sharing;
    for (Stream &stream : streams) {
      if (stream.active && !stream.limited &&
          stream.most <= stream.bandwidth * part) {
        stream.limited = true;
        stream.rate = stream.most;
        left -= stream.most / stream.bandwidth;
        --sharing;
        changed = true;
        break;
      }
    }
  }
  for (Stream &stream : streams) {
    if (stream.active && !stream.limited) {
      stream.rate = stream.bandwidth * left / sharing;
    }
  }
  underused = active > 0 && sharing == 0;
  for (const Stream &stream : streams) {
    underused &= !(stream.active && stream.isEngineLimited);
  }
}
