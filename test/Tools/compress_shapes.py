# Checks the report of compress-shapes.test: how the budget is spent.
import json
import sys

report = json.load(open(sys.argv[1]))
bits = report["body_bits_per_weight"]
assert 3.49 < bits <= 3.5, bits
layers = {}
for matrix in report["matrices"]:
    if matrix["name"].startswith("l"):
        layer = layers.setdefault(matrix["name"].split(".")[0], [0, 0])
        layer[0] += 8 * matrix["bytes"]
        layer[1] += matrix["rows"] * matrix["columns"]
assert len(layers) == 26, len(layers)
# Two layers differ by about a matrix's width at most.
averages = [bits / weights for bits, weights in layers.values()]
assert max(averages) - min(averages) < 0.75, (min(averages), max(averages))
