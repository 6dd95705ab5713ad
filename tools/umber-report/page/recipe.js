// Recipes: what umber-compile --recipe= builds.

const WIDTHS = [1, 2, 3, 4, 6, 8, 16];

/** The recipe of a report's matrices at the store's widths. */
export function makeRecipe(report, bitsOf) {
  const recipe = { "umber-recipe": 1, bits: {} };
  const recover = {};
  report.matrices.forEach((matrix, index) => {
    recipe.bits[matrix.name] = bitsOf(index);
    // Corrections are of palettes.
    if (matrix.rank > 0 && bitsOf(index) < 8) {
      recover[matrix.name] = matrix.rank;
    }
  });
  if (Object.keys(recover).length > 0) {
    recipe.recover = recover;
  }
  return recipe;
}

/** Widths by matrix of a recipe's text; throws an Error with what is wrong. */
export function readRecipe(text, name, report) {
  let recipe;
  try {
    recipe = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name}: expected JSON, found ${error.message}`);
  }
  if (recipe === null || typeof recipe !== "object" || recipe["umber-recipe"] !== 1) {
    throw new Error(`${name}: expected a recipe, an object with "umber-recipe": 1`);
  }
  if (recipe.bits === null || typeof recipe.bits !== "object") {
    throw new Error(`${name}: expected an object "bits" with a width for each matrix`);
  }
  const known = new Map(report.matrices.map((matrix, index) => [matrix.name, index]));
  for (const [matrix, bits] of Object.entries(recipe.bits)) {
    if (!known.has(matrix)) {
      throw new Error(`${name}: expected a recipe for ${report.model.name}, found the matrix '${matrix}', ` +
        "which it has not");
    }
    if (!WIDTHS.includes(bits)) {
      throw new Error(`${name}: "${matrix}": expected 1, 2, 3, 4, 6, 8 or 16 bits, found ${JSON.stringify(bits)}`);
    }
  }
  return report.matrices.map((matrix, index) => {
    const bits = recipe.bits[matrix.name];
    if (bits === undefined) {
      throw new Error(`${name}: expected a width for '${matrix.name}', found none`);
    }
    if (!matrix.choices.some((choice) => choice.bits === bits && choice.stream_bytes > 0)) {
      throw new Error(`${name}: "${matrix.name}": expected a width that ${report.device.name} has, found ${bits}`);
    }
    return [index, bits];
  });
}

/** What else umber-compile needs, for the same result. */
export function compileCommand(report, changes) {
  const rank = changes.rank ?? report.package.adapter_rank;
  const cache = changes.cacheBits ?? report.model.cache_bits;
  const isGpu = report.device.kind === "gpu";
  return `umber-compile MODEL --target=${isGpu ? "gpu" : `npu:${report.device.name}`} --recipe=recipe.json` +
    ` --kv-bits=${cache}${isGpu ? "" : ` --adapter-rank=${rank}`} --max-tokens=${report.package.max_tokens} -o OUT.umb`;
}

/** Offers a text as a file. */
export function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
