// cuDNN: which convolution algorithms exist for a problem, what workspace they need, how fast they are.
#include "host/cudnn_convolution.h"
#include "host/lesser_device.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

using namespace nin::host;
using namespace nin::host::cudnn;

namespace nin::host::cudnn
{
namespace
{

bool is_dense(const convolution_problem& p)
{
    return p.dilation_h == 1 && p.dilation_w == 1;
}

bool has_unit_stride(const convolution_problem& p)
{
    return p.stride_h == 1 && p.stride_w == 1;
}

bool is_filter_of(const convolution_problem& p, int64_t size)
{
    return p.r == size && p.s == size;
}

bool fits_winograd(const convolution_problem& p)
{
    return !p.nhwc && is_dense(p) && has_unit_stride(p) && is_filter_of(p, 3);
}

bool fits_winograd_nonfused(const convolution_problem& p)
{
    return !p.nhwc && is_dense(p) && has_unit_stride(p) && (is_filter_of(p, 3) || is_filter_of(p, 5));
}

struct algorithm_support {
    bool is_supported;
    convolution_method method;
};

constexpr algorithm_support k_unsupported{false, convolution_method::direct};

algorithm_support forward_support(const convolution_problem& p, int algorithm)
{
    switch (algorithm) {
    case CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM:
        return {true, convolution_method::direct};
    case CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM:
        return {is_dense(p), convolution_method::fastest};
    case CUDNN_CONVOLUTION_FWD_ALGO_GEMM:
        return {!p.nhwc && is_dense(p), convolution_method::direct};
    case CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD:
        return {fits_winograd(p), convolution_method::fastest};
    case CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED:
        return {fits_winograd_nonfused(p), convolution_method::fastest};
    default: // DIRECT has no implementation in cuDNN, FFT and FFT_TILING none here
        return k_unsupported;
    }
}

algorithm_support backward_data_support(const convolution_problem& p, int algorithm)
{
    switch (algorithm) {
    case CUDNN_CONVOLUTION_BWD_DATA_ALGO_0:
        return {!p.nhwc, convolution_method::direct};
    case CUDNN_CONVOLUTION_BWD_DATA_ALGO_1:
        return {true, convolution_method::fastest};
    case CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD:
        return {fits_winograd(p), convolution_method::fastest};
    case CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED:
        return {fits_winograd_nonfused(p), convolution_method::fastest};
    default: // FFT and FFT_TILING have no implementation here
        return k_unsupported;
    }
}

algorithm_support backward_filter_support(const convolution_problem& p, int algorithm)
{
    switch (algorithm) {
    case CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0:
        // With half results cuDNN adds pairs of elements, so their number must be even.
        return {p.type != element_type::f16 || p.filter_count() % 2 == 0, convolution_method::direct};
    case CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1:
        return {true, convolution_method::fastest};
    case CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3:
        return {!p.nhwc, convolution_method::direct};
    case CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED:
        return {fits_winograd_nonfused(p), convolution_method::fastest};
    default: // WINOGRAD has no implementation in cuDNN, FFT and FFT_TILING none here
        return k_unsupported;
    }
}

algorithm_support full_support_of(const convolution_problem& p, int algorithm)
{
    switch (p.direction) {
    case convolution_direction::forward:
        return forward_support(p, algorithm);
    case convolution_direction::backward_data:
        return backward_data_support(p, algorithm);
    default:
        return backward_filter_support(p, algorithm);
    }
}

// On a lesser device.
algorithm_support support_of(const convolution_problem& p, int algorithm)
{
    const algorithm_support full = full_support_of(p, algorithm);
    const lesser_device& device = lesser();
    if (!full.is_supported || (device.only_algorithm_0 && algorithm != 0) || (p.nhwc && !device.has_nhwc_of(p.type)))
        return k_unsupported;
    if (device.workspace_bytes != SIZE_MAX) {
        convolution_problem chosen = p;
        chosen.method = full.method;
        if (workspace_bytes_for(chosen) > device.workspace_bytes)
            return k_unsupported;
    }
    return full;
}

// Per direction: the result structure, every algorithm with the preferred first, and those that cuDNN does not promise
// to be reproducible.
template <typename Perf> struct algorithm_table;

template <> struct algorithm_table<cudnnConvolutionFwdAlgoPerf_t> {
    static constexpr int count = CUDNN_CONVOLUTION_FWD_ALGO_COUNT;
    static constexpr std::array<int, count> preference{1, 0, 7, 6, 2, 3, 4, 5};
    static constexpr bool is_deterministic(int) { return true; }
};

template <> struct algorithm_table<cudnnConvolutionBwdDataAlgoPerf_t> {
    static constexpr int count = CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT;
    static constexpr std::array<int, count> preference{1, 5, 4, 0, 2, 3};
    static constexpr bool is_deterministic(int algorithm) { return algorithm != CUDNN_CONVOLUTION_BWD_DATA_ALGO_0; }
};

template <> struct algorithm_table<cudnnConvolutionBwdFilterAlgoPerf_t> {
    static constexpr int count = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT;
    static constexpr std::array<int, count> preference{1, 5, 0, 3, 2, 4, 6};
    static constexpr bool is_deterministic(int algorithm)
    {
        return algorithm != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 && algorithm != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3;
    }
};

// cuDNN lists an algorithm once per math type, so results may be more than algorithms.
template <typename Perf> cudnnStatus_t max_count(cudnnHandle_t handle, int* count)
{
    checked(handle, "handle");
    require(count != nullptr, "count is null");
    *count = 2 * algorithm_table<Perf>::count;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t workspace_size(cudnnHandle_t handle, const convolution_tensors& tensors, int algorithm, size_t* bytes)
{
    checked(handle, "handle");
    require(bytes != nullptr, "sizeInBytes is null");
    auto problem = tensors.problem;
    problem.method = checked_method(problem, algorithm);
    *bytes = workspace_bytes_for(problem);
    return CUDNN_STATUS_SUCCESS;
}

// Every algorithm of the direction, not timed: first those that can run, in order of preference.
template <typename Perf>
std::vector<Perf> list_algorithms(const convolution_problem& problem, cudnnConvolutionDescriptor_t convDesc)
{
    using table = algorithm_table<Perf>;
    std::vector<Perf> results;
    for (const int algorithm : table::preference) {
        Perf result{};
        result.algo = static_cast<decltype(result.algo)>(algorithm);
        result.time = -1;
        result.determinism = table::is_deterministic(algorithm) ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
        result.mathType = checked(convDesc, "convDesc").math_type;
        const auto [is_supported, method] = support_of(problem, algorithm);
        result.status = is_supported ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
        if (is_supported) {
            auto chosen = problem;
            chosen.method = method;
            result.memory = workspace_bytes_for(chosen);
        }
        results.push_back(result);
    }
    std::stable_sort(results.begin(), results.end(), [](const Perf& a, const Perf& b) {
        return (a.status == CUDNN_STATUS_SUCCESS) > (b.status == CUDNN_STATUS_SUCCESS);
    });
    return results;
}

template <typename Perf>
cudnnStatus_t return_results(const std::vector<Perf>& results, int requested, int* returned, Perf* perfResults)
{
    *returned = std::min(requested, static_cast<int>(results.size()));
    std::copy_n(results.begin(), *returned, perfResults);
    for (int i = 0; i < *returned; ++i)
        perfResults[i].status = status_traits<cudnnStatus_t>::reported(perfResults[i].status);
    return CUDNN_STATUS_SUCCESS;
}

template <typename Perf> void check_request(int requested, const int* returned, const Perf* perfResults)
{
    require(requested > 0, "requestedAlgoCount ", requested, " must be positive");
    require(returned != nullptr, "returnedAlgoCount is null");
    require(perfResults != nullptr, "perfResults is null");
}

template <typename Perf>
cudnnStatus_t suggest(cudnnHandle_t handle, const convolution_tensors& tensors, cudnnConvolutionDescriptor_t convDesc,
                      int requested, int* returned, Perf* perfResults)
{
    checked(handle, "handle");
    check_request(requested, returned, perfResults);
    return return_results(list_algorithms<Perf>(tensors.problem, convDesc), requested, returned, perfResults);
}

struct device_operand {
    const tensor_view& view;
    const void* pointer;
    const char* name;
};

// Runs every algorithm that the workspace is large enough for and returns them by time. The result is left with NaNs:
// cuDNN leaves garbage there, so nothing may count on what looks like a result.
template <typename Perf>
cudnnStatus_t measure(cudnnHandle_t handle, const convolution_tensors& tensors, cudnnConvolutionDescriptor_t convDesc,
                      const device_operand& first, const device_operand& second, const device_operand& result,
                      int requested, int* returned, Perf* perfResults, void* workspace, size_t workspace_bytes)
{
    const cudnnContext& context = checked(handle, "handle");
    check_request(requested, returned, perfResults);
    const auto wait = [](const char* when) {
        const CUresult status = synchronize_current_context(); // refused during a capture, as this whole function is
        if (status != CUDA_SUCCESS)
            refuse(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, "waiting for the device ", when, " gave CUDA error ",
                   static_cast<int>(status));
    };
    wait("before measuring");
    auto results = list_algorithms<Perf>(tensors.problem, convDesc);
    for (Perf& perf : results) {
        if (perf.status != CUDNN_STATUS_SUCCESS)
            continue;
        if (perf.memory > workspace_bytes) {
            perf.status = CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED; // cuDNN's word for it here
            continue;
        }
        const auto plan = checked_plan(tensors.problem, perf.algo, workspace, workspace_bytes);
        const auto milliseconds = std::make_shared<float>(0.0f);
        enqueue(context,
                {"cudnnFindConvolutionAlgorithmEx",
                 {reads(first.view, first.pointer, first.name), reads(second.view, second.pointer, second.name),
                  writes(workspace, perf.memory), writes(result.view, result.pointer, result.name)},
                 [plan, milliseconds](void* const* p) {
                     using clock = std::chrono::steady_clock;
                     plan->run(p[0], p[1], nullptr, p[3], p[2]); // warms caches and oneDNN up
                     const auto start = clock::now();
                     plan->run(p[0], p[1], nullptr, p[3], p[2]);
                     *milliseconds = std::chrono::duration<float, std::milli>(clock::now() - start).count();
                 }});
        wait("while measuring");
        perf.time = *milliseconds;
    }
    const size_t result_bytes = span_bytes(result.view);
    enqueue(context, {"cudnnFindConvolutionAlgorithmEx",
                      {writes(result.view, result.pointer, result.name)},
                      [result_bytes](void* const* p) { std::memset(p[0], 0xff, result_bytes); }});
    std::stable_sort(results.begin(), results.end(), [](const Perf& a, const Perf& b) {
        const bool a_runs = a.status == CUDNN_STATUS_SUCCESS, b_runs = b.status == CUDNN_STATUS_SUCCESS;
        return a_runs != b_runs ? a_runs : a_runs && a.time < b.time;
    });
    return return_results(results, requested, returned, perfResults);
}

} // namespace

convolution_method checked_method(const convolution_problem& problem, int algorithm)
{
    const int count = problem.direction == convolution_direction::forward
                          ? algorithm_table<cudnnConvolutionFwdAlgoPerf_t>::count
                      : problem.direction == convolution_direction::backward_data
                          ? algorithm_table<cudnnConvolutionBwdDataAlgoPerf_t>::count
                          : algorithm_table<cudnnConvolutionBwdFilterAlgoPerf_t>::count;
    require(algorithm >= 0 && algorithm < count, "algorithm ", algorithm, " is not one of this direction's ", count);
    const auto [is_supported, method] = support_of(problem, algorithm);
    require_supported(is_supported, "algorithm ", algorithm,
                      " doesn't do this problem: ", problem.nhwc ? "NHWC" : "NCHW", ", filter ", problem.r, "x",
                      problem.s, ", stride ", problem.stride_h, ", ", problem.stride_w, ", dilation ",
                      problem.dilation_h, ", ", problem.dilation_w);
    return method;
}

} // namespace nin::host::cudnn

NIN_API cudnnStatus_t cudnnGetConvolutionForwardAlgorithmMaxCount(cudnnHandle_t handle, int* count)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return max_count<cudnnConvolutionFwdAlgoPerf_t>(handle, count); });
}

NIN_API cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnnHandle_t handle, int* count)
{
    return guarded<cudnnStatus_t>(__func__,
                                  [&] { return max_count<cudnnConvolutionBwdDataAlgoPerf_t>(handle, count); });
}

NIN_API cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(cudnnHandle_t handle, int* count)
{
    return guarded<cudnnStatus_t>(__func__,
                                  [&] { return max_count<cudnnConvolutionBwdFilterAlgoPerf_t>(handle, count); });
}

NIN_API cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t srcDesc, const cudnnFilterDescriptor_t filterDesc,
    const cudnnConvolutionDescriptor_t convDesc, const cudnnTensorDescriptor_t destDesc, const int requestedAlgoCount,
    int* returnedAlgoCount, cudnnConvolutionFwdAlgoPerf_t* perfResults)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        return suggest(handle,
                       checked_convolution(convolution_direction::forward, srcDesc, filterDesc, convDesc, destDesc),
                       convDesc, requestedAlgoCount, returnedAlgoCount, perfResults);
    });
}

NIN_API cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t filterDesc, const cudnnTensorDescriptor_t diffDesc,
    const cudnnConvolutionDescriptor_t convDesc, const cudnnTensorDescriptor_t gradDesc, const int requestedAlgoCount,
    int* returnedAlgoCount, cudnnConvolutionBwdDataAlgoPerf_t* perfResults)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        return suggest(
            handle, checked_convolution(convolution_direction::backward_data, gradDesc, filterDesc, convDesc, diffDesc),
            convDesc, requestedAlgoCount, returnedAlgoCount, perfResults);
    });
}

NIN_API cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t srcDesc, const cudnnTensorDescriptor_t diffDesc,
    const cudnnConvolutionDescriptor_t convDesc, const cudnnFilterDescriptor_t gradDesc, const int requestedAlgoCount,
    int* returnedAlgoCount, cudnnConvolutionBwdFilterAlgoPerf_t* perfResults)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        return suggest(
            handle, checked_convolution(convolution_direction::backward_filter, srcDesc, gradDesc, convDesc, diffDesc),
            convDesc, requestedAlgoCount, returnedAlgoCount, perfResults);
    });
}

NIN_API cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle, const cudnnTensorDescriptor_t xDesc,
                                                              const cudnnFilterDescriptor_t wDesc,
                                                              const cudnnConvolutionDescriptor_t convDesc,
                                                              const cudnnTensorDescriptor_t yDesc,
                                                              cudnnConvolutionFwdAlgo_t algo, size_t* sizeInBytes)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        return workspace_size(handle,
                              checked_convolution(convolution_direction::forward, xDesc, wDesc, convDesc, yDesc), algo,
                              sizeInBytes);
    });
}

NIN_API cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t wDesc, const cudnnTensorDescriptor_t dyDesc,
    const cudnnConvolutionDescriptor_t convDesc, const cudnnTensorDescriptor_t dxDesc,
    cudnnConvolutionBwdDataAlgo_t algo, size_t* sizeInBytes)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        return workspace_size(
            handle, checked_convolution(convolution_direction::backward_data, dxDesc, wDesc, convDesc, dyDesc), algo,
            sizeInBytes);
    });
}

NIN_API cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t xDesc, const cudnnTensorDescriptor_t dyDesc,
    const cudnnConvolutionDescriptor_t convDesc, const cudnnFilterDescriptor_t gradDesc,
    cudnnConvolutionBwdFilterAlgo_t algo, size_t* sizeInBytes)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        return workspace_size(
            handle, checked_convolution(convolution_direction::backward_filter, xDesc, gradDesc, convDesc, dyDesc),
            algo, sizeInBytes);
    });
}

NIN_API cudnnStatus_t cudnnFindConvolutionForwardAlgorithmEx(cudnnHandle_t handle, const cudnnTensorDescriptor_t xDesc,
                                                             const void* x, const cudnnFilterDescriptor_t wDesc,
                                                             const void* w, const cudnnConvolutionDescriptor_t convDesc,
                                                             const cudnnTensorDescriptor_t yDesc, void* y,
                                                             const int requestedAlgoCount, int* returnedAlgoCount,
                                                             cudnnConvolutionFwdAlgoPerf_t* perfResults,
                                                             void* workSpace, size_t workSpaceSizeInBytes)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const auto t = checked_convolution(convolution_direction::forward, xDesc, wDesc, convDesc, yDesc);
        return measure(handle, t, convDesc, {t.x, x, "x"}, {t.w, w, "w"}, {t.y, y, "y"}, requestedAlgoCount,
                       returnedAlgoCount, perfResults, workSpace, workSpaceSizeInBytes);
    });
}

NIN_API cudnnStatus_t cudnnFindConvolutionBackwardDataAlgorithmEx(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t wDesc, const void* w, const cudnnTensorDescriptor_t dyDesc,
    const void* dy, const cudnnConvolutionDescriptor_t convDesc, const cudnnTensorDescriptor_t dxDesc, void* dx,
    const int requestedAlgoCount, int* returnedAlgoCount, cudnnConvolutionBwdDataAlgoPerf_t* perfResults,
    void* workSpace, size_t workSpaceSizeInBytes)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const auto t = checked_convolution(convolution_direction::backward_data, dxDesc, wDesc, convDesc, dyDesc);
        return measure(handle, t, convDesc, {t.y, dy, "dy"}, {t.w, w, "w"}, {t.x, dx, "dx"}, requestedAlgoCount,
                       returnedAlgoCount, perfResults, workSpace, workSpaceSizeInBytes);
    });
}

NIN_API cudnnStatus_t cudnnFindConvolutionBackwardFilterAlgorithmEx(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t xDesc, const void* x, const cudnnTensorDescriptor_t dyDesc,
    const void* y, const cudnnConvolutionDescriptor_t convDesc, const cudnnFilterDescriptor_t dwDesc, void* dw,
    const int requestedAlgoCount, int* returnedAlgoCount, cudnnConvolutionBwdFilterAlgoPerf_t* perfResults,
    void* workSpace, size_t workSpaceSizeInBytes)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const auto t = checked_convolution(convolution_direction::backward_filter, xDesc, dwDesc, convDesc, dyDesc);
        return measure(handle, t, convDesc, {t.x, x, "x"}, {t.y, y, "dy"}, {t.w, dw, "dw"}, requestedAlgoCount,
                       returnedAlgoCount, perfResults, workSpace, workSpaceSizeInBytes);
    });
}
