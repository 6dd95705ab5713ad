// RUN: umber-opt %s --split-input-file --verify-diagnostics --umber-absorb-norms

// expected-error @+1 {{expected a folder for derived parameters, as the pass's option or the module's attribute 'umber.derived', found none}}
module attributes {umber.parameters = "model.gguf"} {}
