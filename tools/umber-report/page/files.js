// Files that are dropped on the page: recipes and other reports.

import { parseReport } from "umber/report.js";
import { readRecipe } from "umber/recipe.js";

/** Says what is wrong, or nothing. */
export function say(text) {
  const message = document.getElementById("message");
  message.textContent = text;
  message.hidden = text === "";
}

/** A recipe changes the widths, a report is compared with. */
export async function takeFile(store, file) {
  try {
    say("");
    const text = await file.text();
    let isRecipe = false;
    try {
      isRecipe = Object.hasOwn(JSON.parse(text) ?? {}, "umber-recipe");
    } catch {
      // Whoever reads it next says what is wrong with it.
    }
    if (isRecipe) {
      const widths = readRecipe(text, file.name, store.report);
      store.setBits(widths);
    } else {
      store.setOther(parseReport(text, file.name));
    }
  } catch (error) {
    say(error.message);
  }
}

export function acceptDrops(store) {
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    for (const file of event.dataTransfer.files) {
      takeFile(store, file);
    }
  });
}
