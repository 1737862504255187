#include "base/ort_variant_key.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace trims {

#if defined(__x86_64__)

std::string CpuFeatures() {
  std::string out = "x86-64";
  const auto add = [&out](bool supported, const char* name) {
    if (supported) out.append(",").append(name);
  };
  __builtin_cpu_init();
  add(__builtin_cpu_supports("avx"), "avx");
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512vl"), "avx512vl");
  add(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
  add(__builtin_cpu_supports("avx512bf16"), "avx512bf16");
  return out;
}

#elif defined(__aarch64__)

std::string CpuFeatures() {
  std::string out = "aarch64";
  const unsigned long features = getauxval(AT_HWCAP), more = getauxval(AT_HWCAP2);
  if (features & HWCAP_ASIMDHP) out += ",fp16";
  if (features & HWCAP_ASIMDDP) out += ",dotprod";
  if (features & HWCAP_SVE) out += ",sve";
  if (more & HWCAP2_I8MM) out += ",i8mm";
  if (more & HWCAP2_BF16) out += ",bf16";
  return out;
}

#else

std::string CpuFeatures() { return "other"; }

#endif

std::string OrtVariantKey(std::string_view version) {
  return "ort-" + std::string(version) + ";level=all;cpu=" + CpuFeatures();
}

}  // namespace trims
