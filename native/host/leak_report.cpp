#include "host/leak_report.h"

#include "host/configuration.h"
#include "host/context.h"
#include "host/cublas_objects.h"
#include "host/cudnn_objects.h"
#include "host/graph.h"
#include "host/handles.h"
#include "host/module.h"

#include <cstdio>

namespace nin::host
{
namespace
{

template <typename Handle, typename Object> size_t live()
{
    return table<Handle, Object>().size();
}

size_t live_device_allocations()
{
    size_t count = 0;
    for (const auto& one : devices())
        if (one->is_active())
            count += one->memory()->allocation_count();
    return count;
}

std::string leaks()
{
    const unreleased_objects& gone = unreleased();
    const struct {
        const char* kind;
        size_t count;
    } counts[] = {
        {"device allocation", gone.device_allocations + live_device_allocations()},
        {"host allocation", gone.host_allocations + pinned().count()},
        {"stream", gone.streams + live<CUstream, stream>()},
        {"event", gone.events + live<CUevent, event>()},
        {"module", gone.modules + live<CUmodule, module>()},
        {"graph", gone.graphs + live<CUgraph, const graph>()},
        {"executable graph", gone.executable_graphs + live<CUgraphExec, graph_exec>()},
        {"cuDNN handle", live<cudnnHandle_t, cudnnContext>()},
        {"tensor descriptor", live<cudnnTensorDescriptor_t, cudnnTensorStruct>()},
        {"filter descriptor", live<cudnnFilterDescriptor_t, cudnnFilterStruct>()},
        {"convolution descriptor", live<cudnnConvolutionDescriptor_t, cudnnConvolutionStruct>()},
        {"pooling descriptor", live<cudnnPoolingDescriptor_t, cudnnPoolingStruct>()},
        {"activation descriptor", live<cudnnActivationDescriptor_t, cudnnActivationStruct>()},
        {"cuBLAS handle", live<cublasHandle_t, cublasContext>()},
        {"cuBLASLt handle", live<cublasLtHandle_t, cublasLtContext>()},
        {"product descriptor", live<cublasLtMatmulDesc_t, cublasLtMatmulDescOpaque_t>()},
        {"matrix layout", live<cublasLtMatrixLayout_t, cublasLtMatrixLayoutOpaque_t>()},
        {"product preference", live<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceOpaque_t>()},
    };
    std::string list;
    for (const auto& [kind, count] : counts)
        if (count != 0)
            list += (list.empty() ? "" : ", ") + std::to_string(count) + " " + kind + (count == 1 ? "" : "s");
    return list;
}

// Static objects go when the process ends, whatever called exit.
const struct report_at_exit {
    ~report_at_exit()
    {
        try {
            if (!settings().reports_leaks || sticky_error() != CUDA_SUCCESS)
                return;
            if (const std::string list = leaks(); !list.empty())
                std::fprintf(stderr, "nin_host: live objects at exit: %s\n", list.c_str());
        } catch (...) { // cuInit has refused the settings
        }
    }
} reporter;

} // namespace

unreleased_objects& unreleased() noexcept
{
    return immortal<unreleased_objects>();
}

} // namespace nin::host
