#include "host/convolution_plan.h"

#include "host/direct_convolution.h"
#include "host/driver.h"
#include "host/onednn.h"
#include "host/plan_cache.h"
#include "host/winograd_convolution.h"
#include "host/workspace.h"

#include <array>
#include <cstdlib>

namespace nin::host
{
namespace
{

// A 16-bit problem by way of the float one: operands are widened, the result is rounded.
class converted_convolution final : public convolution_plan
{
  public:
    explicit converted_convolution(const convolution_problem& p)
        : type_(p.type), result_type_(p.result_type), first_count_(operand_count(p, 0)),
          second_count_(operand_count(p, 1)), result_count_(operand_count(p, 2)),
          bias_count_(p.epilogue == convolution_epilogue::none ? 0 : p.k)
    {
        convolution_problem inner = p;
        inner.type = inner.result_type = element_type::f32;
        plan_ = find_convolution_plan(inner);
        const auto floats = [&](int64_t count) { return layout_.add(static_cast<size_t>(count) * sizeof(float)); };
        first_offset_ = floats(first_count_);
        second_offset_ = floats(second_count_);
        bias_offset_ = floats(bias_count_);
        result_offset_ = result_type_ == element_type::f32 ? 0 : floats(result_count_);
        inner_offset_ = layout_.add(plan_->workspace_bytes());
    }

    size_t workspace_bytes() const override { return layout_.bytes(); }

    std::string describe() const override { return plan_->describe() + " in float"; }

    void run(const void* first, const void* second, const void* bias, void* result, void* workspace) const override
    {
        std::byte* const start = aligned_start(workspace);
        const auto widened = [&](const void* data, int64_t count, size_t offset) {
            auto* const to = reinterpret_cast<float*>(start + offset);
            convert_to_float(type_, data, to, count);
            return to;
        };
        const bool is_float = result_type_ == element_type::f32;
        auto* const values = is_float ? static_cast<float*>(result) : reinterpret_cast<float*>(start + result_offset_);
        plan_->run(widened(first, first_count_, first_offset_), widened(second, second_count_, second_offset_),
                   bias_count_ == 0 ? nullptr : widened(bias, bias_count_, bias_offset_), values,
                   start + inner_offset_);
        if (!is_float)
            convert_from_float(result_type_, values, result, result_count_);
    }

  private:
    // Elements of run()'s first and second operand and of the result.
    static int64_t operand_count(const convolution_problem& p, int operand)
    {
        const std::array counts = {p.x_count(), p.filter_count(), p.y_count()};
        constexpr std::array<std::array<int, 3>, 3> order = {{{0, 1, 2}, {2, 1, 0}, {0, 2, 1}}}; // per direction
        return counts[static_cast<size_t>(order[static_cast<size_t>(p.direction)][static_cast<size_t>(operand)])];
    }

    element_type type_, result_type_;
    int64_t first_count_, second_count_, result_count_, bias_count_;
    std::shared_ptr<const convolution_plan> plan_;
    workspace_layout layout_;
    size_t first_offset_, second_offset_, bias_offset_, result_offset_, inner_offset_;
};

// NIN_HOST_WINOGRAD=0 keeps every convolution to the direct sum.
bool winograd_is_allowed()
{
    static const bool allowed = [] {
        const char* const value = std::getenv("NIN_HOST_WINOGRAD");
        return value == nullptr || std::string(value) != "0";
    }();
    return allowed;
}

std::unique_ptr<const convolution_plan> make_plan(const convolution_problem& p)
{
    if (p.method == convolution_method::fastest && winograd_fits(p) && winograd_pays(p) && winograd_is_allowed())
        return make_winograd_convolution(p);
    if (p.type == element_type::f32)
        return make_direct_convolution(p);
    if (p.type == element_type::bf16 && onednn::has_native_bf16())
        if (auto native = make_direct_convolution(p))
            return native;
    return std::make_unique<converted_convolution>(p);
}

} // namespace

std::shared_ptr<const convolution_plan> find_convolution_plan(const convolution_problem& problem)
{
    return immortal<plan_cache<convolution_problem, convolution_plan>>().find(problem, make_plan);
}

} // namespace nin::host
