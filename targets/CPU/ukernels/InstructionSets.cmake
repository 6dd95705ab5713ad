# The instruction sets that microkernels are compiled for, best first within an
# architecture, with what clang is told for each but the target, and with the
# sources that only it has. For the microkernels' bitcode and for their tests,
# which also a build without the compiler has.
set(umber_sets_x86_64 x86-64-v4-amx x86-64-v4-vbmi x86-64-v4 x86-64-v3)
set(umber_sets_aarch64 aarch64-i8mm aarch64)

set(umber_flags_x86-64-v3 -march=x86-64-v3)
set(umber_flags_x86-64-v4 -march=x86-64-v4 -mavx512vnni -mprefer-vector-width=512)
set(umber_flags_x86-64-v4-vbmi ${umber_flags_x86-64-v4} -mavx512vbmi)
set(umber_flags_x86-64-v4-amx ${umber_flags_x86-64-v4-vbmi} -mamx-tile -mamx-int8)
set(umber_sources_x86-64-v4-amx encoded_tiles)
set(umber_flags_aarch64 -march=armv8.2-a+dotprod+fp16)
set(umber_flags_aarch64-i8mm ${umber_flags_aarch64}+i8mm)
