/* Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A whole program around Umber's runtime: embed MODEL.umb "Once upon a time"
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umber/umber.h>

static umber_error error;

static void check(umber_status status) {
  if (status != UMBER_OK) {
    fprintf(stderr, "embed: error: %s\n", error.message);
    exit(1);
  }
}

int main(int argc, char **argv) {
  umber_model *model;
  umber_session *session;
  umber_sampler *sampler;
  umber_detokenizer *detokenizer;
  int32_t ids[256], id;
  size_t count, length;
  const float *logits;
  const char *text;
  if (argc != 3) {
    fprintf(stderr, "usage: embed MODEL.umb PROMPT\n");
    return 1;
  }
  check(umber_model_load(argv[1], NULL, &model, &error));
  check(umber_session_create(model, NULL, &session, &error));
  check(umber_sampler_create(model, NULL, &sampler, &error));
  check(umber_detokenizer_create(model, 0, &detokenizer, &error));
  check(umber_tokenize(model, argv[2], strlen(argv[2]),
                       UMBER_TOKENIZE_ADD_SPECIAL, ids, 256, &count, &error));
  count = count < 256 ? count : 256; /* the beginning of a long prompt */
  check(umber_prefill(session, ids, count, &logits, &error));
  for (int n = 0; n < 64; ++n) {
    check(umber_sampler_sample(sampler, logits, &id, &error));
    if (umber_model_is_end_of_generation(model, id)) {
      break;
    }
    check(umber_detokenizer_push(detokenizer, id, &text, &length, &error));
    fwrite(text, 1, length, stdout);
    check(umber_decode(session, id, &logits, &error));
  }
  check(umber_detokenizer_finish(detokenizer, &text, &length, &error));
  fwrite(text, 1, length, stdout);
  putchar('\n');
  umber_detokenizer_destroy(detokenizer);
  umber_sampler_destroy(sampler);
  umber_session_destroy(session);
  umber_model_destroy(model);
  return 0;
}
