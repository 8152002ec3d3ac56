// The CPU twins of kernels/loss.cu.
#include "host/kernel_twin.h"
#include "kernels/loss.cu"

namespace nin::host
{
namespace
{

template <typename T>
auto softmax_cross_entropy_accesses(const T* logits, const int32_t* labels, const int32_t* indices,
                                    const kernels::step_state* state, float* sample_loss, uint8_t* sample_correct,
                                    T* dlogits, int32_t label_count, int32_t n, int32_t classes, float, float)
{
    return std::array{reads_array(logits, {n, classes}),  reads_array(labels, {label_count}),
                      reads_array(indices, {n}),          reads_array(state, {1}),
                      writes_array(sample_loss, {n}),     writes_array(sample_correct, {n}),
                      writes_array(dlogits, {n, classes})};
}

template <typename T> auto softmax_forward_accesses(const T* logits, float* probabilities, int32_t n, int32_t classes)
{
    return std::array{reads_array(logits, {n, classes}), writes_array(probabilities, {n, classes})};
}

auto loss_accumulate_accesses(const float* sample_loss, const uint8_t* sample_correct, double* sums, int32_t n, int32_t)
{
    return std::array{reads_array(sample_loss, {n}), reads_array(sample_correct, {n}), updates_array(sums, {3})};
}

} // namespace

std::vector<kernel_twin> loss_twins()
{
    using namespace kernels;
    return {
        make_kernel_twin<&softmax_cross_entropy_f32, &softmax_cross_entropy_accesses<f32>>("softmax_cross_entropy_f32"),
        make_kernel_twin<&softmax_cross_entropy_f16, &softmax_cross_entropy_accesses<f16>>("softmax_cross_entropy_f16"),
        make_kernel_twin<&softmax_cross_entropy_bf16, &softmax_cross_entropy_accesses<bf16>>(
            "softmax_cross_entropy_bf16"),
        make_kernel_twin<&softmax_forward_f32, &softmax_forward_accesses<f32>>("softmax_forward_f32"),
        make_kernel_twin<&softmax_forward_f16, &softmax_forward_accesses<f16>>("softmax_forward_f16"),
        make_kernel_twin<&softmax_forward_bf16, &softmax_forward_accesses<bf16>>("softmax_forward_bf16"),
        make_kernel_twin<&loss_accumulate, &loss_accumulate_accesses>("loss_accumulate"),
    };
}

} // namespace nin::host
