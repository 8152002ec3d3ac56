#include "host/numeric_types.h"

#include "host/parallel.h"

namespace nin::host
{
namespace
{

constexpr int64_t k_block = 16384;

NIN_VECTORIZED void to_float_range(const bf16* src, float* dst, int64_t count)
{
    for (int64_t i = 0; i < count; ++i)
        dst[i] = to_float(src[i]);
}
NIN_VECTORIZED void to_float_range(const f16* src, float* dst, int64_t count)
{
    for (int64_t i = 0; i < count; ++i)
        dst[i] = to_float(src[i]);
}
NIN_VECTORIZED void to_float_range(const float* src, float* dst, int64_t count)
{
    for (int64_t i = 0; i < count; ++i)
        dst[i] = src[i];
}
NIN_VECTORIZED void from_float_range(const float* src, bf16* dst, int64_t count)
{
    for (int64_t i = 0; i < count; ++i)
        dst[i] = from_float<bf16>(src[i]);
}
NIN_VECTORIZED void from_float_range(const float* src, f16* dst, int64_t count)
{
    for (int64_t i = 0; i < count; ++i)
        dst[i] = from_float<f16>(src[i]);
}
NIN_VECTORIZED void from_float_range(const float* src, float* dst, int64_t count)
{
    for (int64_t i = 0; i < count; ++i)
        dst[i] = src[i];
}

} // namespace

void convert_to_float(element_type type, const void* src, float* dst, int64_t count)
{
    visit(type, [&](auto element) {
        const auto* from = static_cast<const decltype(element)*>(src);
        parallel_blocks(count, k_block,
                        [&](int64_t begin, int64_t end) { to_float_range(from + begin, dst + begin, end - begin); });
    });
}

void convert_from_float(element_type type, const float* src, void* dst, int64_t count)
{
    visit(type, [&](auto element) {
        auto* to = static_cast<decltype(element)*>(dst);
        parallel_blocks(count, k_block,
                        [&](int64_t begin, int64_t end) { from_float_range(src + begin, to + begin, end - begin); });
    });
}

void row_to_float(element_type type, const void* src, float* dst, int64_t count)
{
    visit(type, [&](auto element) { to_float_range(static_cast<const decltype(element)*>(src), dst, count); });
}

void row_from_float(element_type type, const float* src, void* dst, int64_t count)
{
    visit(type, [&](auto element) { from_float_range(src, static_cast<decltype(element)*>(dst), count); });
}

} // namespace nin::host
