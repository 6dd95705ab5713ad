// The data of a report: reading it, and what all views derive from it.

export const REGIONS = ["code", "weights", "adapters", "tables", "cache", "activations", "io"];
export const ENERGIES = ["memory", "compute", "vector", "static"];
export const BOUNDS = {
  mac: "arithmetic",
  dram: "DRAM",
  lut: "table decode",
  sram: "scratchpad",
  vpu: "vector unit",
  l2: "L2 cache",
  latency: "latency",
  sync: "synchronisation",
};
/** The unit of a neural engine that a bound is of. */
export const ENGINES = {
  mac: "matrix",
  dram: "DMA",
  lut: "decoder",
  sram: "scratchpad",
  vpu: "vector",
  sync: "none",
};

/** Reads a report's text; throws an Error with what is wrong. */
export function parseReport(text, name) {
  let report;
  try {
    report = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name}: expected JSON, found ${error.message}`);
  }
  return checkReport(report, name);
}

/** Checks the parts that views rely on; throws an Error with what is wrong. */
export function checkReport(report, name) {
  const fail = (expected) => {
    throw new Error(`${name}: expected ${expected}`);
  };
  if (report === null || typeof report !== "object" || report.format !== "umber-report") {
    fail('a report of umber-report --json, with "format": "umber-report"');
  }
  if (report.version !== 1) {
    fail(`a report of version 1, found ${JSON.stringify(report.version)}`);
  }
  for (const key of ["phases", "kernels", "matrices"]) {
    if (!Array.isArray(report[key])) {
      fail(`an array "${key}"`);
    }
  }
  if (report.phases.length === 0) {
    fail("a phase at least");
  }
  for (const phase of report.phases) {
    if (!Array.isArray(phase.kernels) || !(phase.seconds > 0)) {
      fail('phases with "kernels" and "seconds"');
    }
  }
  return report;
}

export function sum(values) {
  let all = 0;
  for (const value of values) {
    all += value;
  }
  return all;
}

export const joules = (energy) => sum(ENERGIES.map((key) => energy[key] ?? 0));
export const bytes = (dram) => sum(Object.values(dram));

/** A kernel's or phase's bits per weight as they cross DRAM; NaN without weights. */
export function streamedBits(work) {
  return work.streamed_weights > 0 ? (8 * work.dram.weights) / work.streamed_weights : NaN;
}

/** The matrices that a kernel reads, by number. */
export function matricesOf(report, kernel) {
  return report.kernels[kernel]?.matrices ?? [];
}

/** What a matrix's width adds to the loss; undefined if it was not measured. */
export function lossOf(matrix, bits) {
  return matrix.choices.find((choice) => choice.bits === bits)?.loss;
}

export function choiceOf(matrix, bits) {
  return matrix.choices.find((choice) => choice.bits === bits);
}

/** Bits per weight of the body at these widths, all its bytes counted. */
export function bodyBits(report, bitsOf) {
  if (!(report.model.body_weights > 0)) {
    return NaN;
  }
  let all = report.model.body_bytes;
  report.matrices.forEach((matrix, index) => {
    if (matrix.is_body) {
      all += (choiceOf(matrix, bitsOf(index))?.bytes ?? matrix.bytes) - matrix.bytes;
    }
  });
  return (8 * all) / report.model.body_weights;
}

/** The sum of the losses that are known, and of how many matrices they are. */
export function predictedLoss(report, bitsOf) {
  let all = 0;
  let known = 0;
  report.matrices.forEach((matrix, index) => {
    const loss = lossOf(matrix, bitsOf(index));
    if (loss !== undefined && loss !== null) {
      all += loss;
      ++known;
    }
  });
  return { loss: all, known };
}
