// The page's cost model: a simulated phase, with some of what it was simulated
// with changed. Its time is what the simulator's critical path is made of, each
// part in proportion to what the resource that it needs longest has to do, and
// no less than any resource needs in a kernel; nor less than the paths that
// are critical on other hardware are then (tangents: CostPoints.h).

import { ENERGIES } from "umber/report.js";

const RESOURCES = ["mac", "dram", "lut", "sram", "vpu"];

/** Fields of a group's numbers, as the tool writes them behind its key. */
const FIELDS = ["bytes", "critical", ...RESOURCES, "commands", "memory", "compute", "vector"];

/** Of a model's changes, those that are none. */
export function noChanges() {
  return { bits: new Map(), rank: null, cacheBits: null, counts: {}, hardware: {} };
}

export function parameter(report, name, changes) {
  return changes?.hardware?.[name] ?? report.parameters.get(name);
}

/** A phase's groups at a context or prompt length, between those simulated. */
function groupsAt(phase, count) {
  phase.interpolated ??= new Map();
  if (phase.interpolated.has(count)) {
    return phase.interpolated.get(count);
  }
  const points = phase.costs;
  let after = points.findIndex((point) => point.count >= count);
  after = after < 0 ? points.length - 1 : after;
  const high = points[after];
  const low = points[Math.max(0, high.count === count ? after : after - 1)];
  const part = high.count === low.count ? 1 : (count - low.count) / (high.count - low.count);
  const mix = (a, b) => a + (b - a) * part;
  const byKey = new Map();
  for (const [point, isHigh] of low === high ? [[high, true]] : [[low, false], [high, true]]) {
    for (const row of point.groups) {
      const key = row.slice(0, 3).join(" ");
      const entry = byKey.get(key) ?? { row, low: null, high: null };
      entry[isHigh ? "high" : "low"] = row;
      byKey.set(key, entry);
    }
  }
  const groups = [];
  for (const { row, low: lowRow, high: highRow } of byKey.values()) {
    const group = { kernel: row[0], part: row[1], matrix: row[2] };
    FIELDS.forEach((field, at) => {
      group[field] = mix((low === high ? highRow : lowRow)?.[at + 3] ?? 0, highRow?.[at + 3] ?? 0);
    });
    group.needed = RESOURCES.map((resource) => group[resource]);
    group.longest = Math.max(...group.needed);
    groups.push(group);
  }
  const result = {
    groups,
    waiting: mix(low.waiting, high.waiting),
    steps: mix(low.steps, high.steps),
    tokens: phase.kind === "decode" ? 1 : count,
  };
  phase.interpolated.set(count, result);
  return result;
}

const isGpu = (report) => report.device.kind === "gpu";

/** Bytes a second that a stream gets when it is alone (DramChannel.cpp). */
function bandwidth(report, changes, isWeights) {
  const get = (name) => parameter(report, name, changes);
  if (isGpu(report)) {
    return get("dram.bytes_per_s") * get("dram.efficiency");
  }
  const outstanding =
    (get("dram.max_outstanding_reads") * get("dram.burst_bytes")) / get("dram.latency_s");
  const channel = Math.min(get("dram.bytes_per_s") * get("dram.efficiency"), outstanding);
  return isWeights ? channel : Math.min(channel, get("dram.engine_bytes_per_s"));
}

/** Palettes' codes a second. */
function decodeRate(report, changes) {
  const get = (name) => parameter(report, name, changes);
  return isGpu(report)
    ? get("processors.count") * get("processors.clock_hz") * get("arithmetic.codes_per_cycle") *
        get("arithmetic.efficiency")
    : get("decoder.weights_per_s");
}

/** Whether the array multiplies a matrix at these bits at its rate for f16. */
function isF16(report, bits) {
  // What a GPU multiplies depends on activations alone.
  return !isGpu(report) && (bits > 8 || (bits < 8 && report.device.palette_values === "f16"));
}

/** Factors on what groups need, that are the same for all groups of a part. */
function makeScales(report, changes) {
  const ratio = (name) =>
    parameter(report, name, null) / parameter(report, name, changes) || 1;
  const clock = ratio(isGpu(report) ? "processors.clock_hz" : "clock.array_hz");
  const rank0 = report.package.adapter_rank;
  const rank = changes.rank ?? rank0;
  const cacheBits0 = report.model.cache_bits;
  const cacheBits = changes.cacheBits ?? cacheBits0;
  // A row of integers has a scale of two bytes.
  const rowBytes = (bits) => (report.model.head_dim * bits) / 8 + (bits < 16 ? 2 : 0);
  return {
    rank: rank0 > 0 ? rank / rank0 : 1,
    cache: cacheBits0 > 0 ? rowBytes(cacheBits) / rowBytes(cacheBits0) : 1,
    cacheMac:
      isGpu(report) || cacheBits >= 16 === cacheBits0 >= 16
        ? 1
        : (report.parameters.get("array.rows_i8") / report.parameters.get("array.rows_f16")) **
          (cacheBits >= 16 ? 1 : -1),
    clock,
    // A GPU's L2 cache has a clock of its own.
    sram: isGpu(report) ? 1 : clock,
    vector: ratio("clock.vector_hz"),
    lut: decodeRate(report, null) / decodeRate(report, changes) || 1,
    weights: bandwidth(report, null, true) / bandwidth(report, changes, true),
    data: bandwidth(report, null, false) / bandwidth(report, changes, false),
    vectorStart: parameter(report, "vector.start_s", null) ?? 0,
    dramEnergy: 1e-12 * (parameter(report, "energy.dram_pj_per_byte", null) ?? 0),
  };
}

/** What a matrix's new width does to its stream, its look-ups and its products. */
function makeMatrixScales(report, changes) {
  const scales = new Map();
  for (const [index, bits] of changes.bits) {
    const matrix = report.matrices[index];
    const before = matrix.choices.find((choice) => choice.bits === matrix.bits);
    const after = matrix.choices.find((choice) => choice.bits === bits);
    if (!before || !after || !before.stream_bytes || !after.stream_bytes) {
      continue;
    }
    const f16 = report.parameters.get("array.rows_f16");
    const i8 = report.parameters.get("array.rows_i8");
    const was = isF16(report, matrix.bits);
    const is = isF16(report, bits);
    scales.set(index, {
      bytes: after.stream_bytes / before.stream_bytes,
      // Integers and f16 are no palettes.
      lut: bits < 8 ? 1 : 0,
      isNew: bits < 8 && matrix.bits >= 8,
      weights: matrix.rows * matrix.columns,
      mac: was === is ? 1 : was ? f16 / i8 : i8 / f16,
      energy:
        was === is
          ? 1
          : (report.parameters.get("energy.mac_i8_pj") /
              report.parameters.get("energy.mac_f16_pj")) **
            (was ? 1 : -1),
    });
  }
  return scales;
}

/** What a group needs of each resource with changes. */
function scaleNeeds(report, group, common, matrices, changes) {
  const matrix = matrices.get(group.matrix);
  const { part } = group;
  let bytes = 1;
  let mac = common.clock;
  let lut = group.lut * common.lut * (matrix?.lut ?? 1);
  let energy = 1;
  if (part === "weights" && matrix) {
    bytes = matrix.bytes;
    if (matrix.isNew) {
      lut = matrix.weights / decodeRate(report, changes);
    }
  } else if (part === "adapters") {
    bytes = common.rank;
  } else if (part === "corrections") {
    mac *= common.rank === 0 ? 0 : 1;
    energy = common.rank;
  } else if (part === "cache") {
    bytes = common.cache;
  } else if (part === "attention") {
    mac *= common.cacheMac;
  } else if (part === "products" && matrix) {
    mac *= matrix.mac;
    energy = matrix.energy;
  }
  const isWeights = part === "weights" || part === "adapters";
  const start = Math.min(group.vpu, group.commands * common.vectorStart);
  // In the order of RESOURCES.
  const needed = [
    group.mac * mac,
    group.dram * bytes * (isWeights ? common.weights : common.data),
    lut,
    group.sram * common.sram,
    start + (group.vpu - start) * common.vector,
  ];
  const longest = Math.max(needed[0], needed[1], needed[2], needed[3], needed[4]);
  return { bytes, energy, needed, longest };
}

function newSums() {
  return {
    seconds: 0, before: 0, bytes: 0, memory: 0, compute: 0, vector: 0,
    needed: [0, 0, 0, 0, 0], was: [0, 0, 0, 0, 0],
  };
}

/** Launches and latencies, in seconds. */
function waitingTime(report, base, changes) {
  const dispatch = (of) => base.steps * (parameter(report, "program.dispatch_s", of) ?? 0);
  const latency =
    parameter(report, "dram.latency_s", changes) / parameter(report, "dram.latency_s", null) || 1;
  return dispatch(changes) + Math.max(0, base.waiting - dispatch(null)) * latency;
}

/**
 * The length of a path, by kernel: `criticals` are the groups' parts of it,
 * `scaled` what they need now and `needs` what they needed on the path's
 * hardware.
 */
function addPath(phase, groups, scaled, criticals, needs) {
  const kernels = phase.kernels.map(newSums);
  const none = newSums();
  groups.forEach((group, index) => {
    const to = kernels[group.kernel] ?? none;
    const after = scaled[index];
    const before = needs ? needs[index] : group;
    // What its part of the path has beyond what resources need stays as it is.
    const scaledPart = Math.min(criticals[index], before.longest);
    to.seconds += criticals[index] - scaledPart +
      (before.longest > 0 ? (scaledPart * after.longest) / before.longest : 0);
    to.before += criticals[index];
    for (let resource = 0; resource < RESOURCES.length; ++resource) {
      to.needed[resource] += after.needed[resource];
      to.was[resource] += before.needed[resource];
    }
  });
  for (const kernel of [...kernels, none]) {
    // What was hidden behind other kernels stays hidden.
    for (let resource = 0; resource < RESOURCES.length; ++resource) {
      const hidden = Math.min(1, kernel.before / kernel.was[resource] || 0);
      kernel.seconds = Math.max(kernel.seconds, kernel.needed[resource] * hidden || 0);
    }
  }
  return { kernels, none };
}

function pathSeconds({ kernels, none }) {
  return kernels.reduce((all, kernel) => all + kernel.seconds, none.seconds);
}

/** By how much paths that are critical on other hardware are longer now. */
function tangentFactor(report, phase, changes, common, matrices) {
  const tangents = phase.tangents ?? [];
  const base = groupsAt(phase, phase.count);
  const scale = (of, by, made) => base.groups.map((group) => scaleNeeds(report, group, of, by, made));
  const now = scale(common, matrices, changes);
  base.criticals ??= base.groups.map((group) => group.critical);
  const own = pathSeconds(addPath(phase, base.groups, now, base.criticals)) + waitingTime(report, base, changes);
  let factor = 1;
  for (const tangent of tangents) {
    tangent.needs ??= base.groups.map((group) => {
      const there = { ...noChanges(), hardware: tangent.hardware };
      return scaleNeeds(report, group, makeScales(report, there), new Map(), there);
    });
    const length = (scaled, of) =>
      pathSeconds(addPath(phase, base.groups, scaled, tangent.critical, tangent.needs)) +
      waitingTime(report, { steps: base.steps, waiting: tangent.waiting }, of);
    // No path is longer than the critical one where that was found.
    tangent.most ??= Math.min(
      1, phase.seconds / length(scale(makeScales(report, noChanges()), new Map(), noChanges()), null));
    factor = Math.max(factor, (tangent.most * length(now, changes)) / own);
  }
  return factor;
}

/**
 * A phase with changes: its seconds, energy in joules and bytes of DRAM by part,
 * in all and of each kernel. Null if the report has no costs.
 */
export function predict(report, phase, changes) {
  if (!phase.costs?.length) {
    return null;
  }
  // Several views ask for the same.
  const key = JSON.stringify({ ...changes, bits: [...changes.bits] });
  if (phase.predicted?.key !== key) {
    phase.predicted = { key, result: compute(report, phase, changes) };
  }
  return phase.predicted.result;
}

function compute(report, phase, changes) {
  const base = groupsAt(phase, changes.counts[phase.kind] ?? phase.count);
  const common = makeScales(report, changes);
  const matrices = makeMatrixScales(report, changes);
  const scaled = base.groups.map((group) => scaleNeeds(report, group, common, matrices, changes));
  const path = addPath(phase, base.groups, scaled, base.groups.map((group) => group.critical));
  const { kernels, none } = path;
  const dram = {};
  base.groups.forEach((group, index) => {
    const to = kernels[group.kernel] ?? none;
    const { bytes, energy } = scaled[index];
    to.bytes += group.bytes * bytes;
    to.memory += group.memory + group.bytes * (bytes - 1) * common.dramEnergy;
    to.compute += group.compute * energy;
    to.vector += group.vector;
    dram[group.part] = (dram[group.part] ?? 0) + group.bytes * bytes;
  });
  const factor = tangentFactor(report, phase, changes, common, matrices);
  const energy = Object.fromEntries(ENERGIES.map((key) => [key, 0]));
  for (const kernel of [...kernels, none]) {
    kernel.seconds *= factor;
    for (const key of ["memory", "compute", "vector"]) {
      energy[key] += kernel[key];
    }
  }
  const seconds = pathSeconds(path) + factor * waitingTime(report, base, changes);
  energy.static = seconds * (parameter(report, "energy.active_w", changes) ?? 0);
  return { seconds, tokens: base.tokens, energy, dram, kernels };
}
