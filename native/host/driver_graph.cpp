// Graphs and executable graphs.
#include "host/capture.h"
#include "host/context.h"
#include "host/driver.h"
#include "host/graph.h"
#include "host/handles.h"
#include "host/lesser_device.h"

#include <algorithm>

namespace nin::host
{
namespace
{

auto& graphs()
{
    return table<CUgraph, const graph>();
}
auto& executables()
{
    return table<CUgraphExec, graph_exec>();
}

std::shared_ptr<graph_exec> instantiate(const std::shared_ptr<const graph>& recorded, unsigned long long flags)
{
    require((flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH) == 0, CUDA_ERROR_NOT_SUPPORTED,
            "graphs cannot be launched from a device here");
    constexpr unsigned long long known =
        CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH | CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;
    require((flags & ~known) == 0, CUDA_ERROR_INVALID_VALUE, "unknown flags, or flags of cuGraphInstantiateWithParams");
    return std::make_shared<graph_exec>(recorded);
}

void launch_on(graph_exec& exec, CUstream handle)
{
    const std::shared_ptr<stream> target = get_stream(handle);
    require(&exec.owner == &target->owner, CUDA_ERROR_INVALID_HANDLE, "graph and stream belong to different contexts");
    if (target->kind == stream_kind::legacy)
        refuse_legacy_use(target->owner);
    if (target->is_capturing)
        record_node(*target, exec.recorded);
    else
        launch(exec, *target);
}

void get_nodes(const graph& recorded, CUgraphNode* nodes, size_t* count)
{
    require_pointer(count, "numNodes");
    if (nodes == nullptr) {
        *count = recorded.nodes.size();
        return;
    }
    const size_t capacity = *count;
    for (size_t i = 0; i < capacity; ++i)
        nodes[i] = i < recorded.nodes.size() ? recorded.nodes[i].handle : nullptr;
    *count = std::min(capacity, recorded.nodes.size());
}

} // namespace
} // namespace nin::host

using namespace nin::host;

namespace
{

CUresult instantiate_with_flags(CUgraphExec* phGraphExec, CUgraph hGraph, unsigned long long flags) noexcept
{
    return guarded<CUresult>("cuGraphInstantiateWithFlags", [&] {
        require_context();
        require_pointer(phGraphExec, "phGraphExec");
        *phGraphExec = executables().add(instantiate(graphs().get(hGraph, "hGraph"), flags));
        return CUDA_SUCCESS;
    });
}

} // namespace

NIN_API_WHERE(cuGraphInstantiateWithFlags, instantiate_with_flags, device.driver_version >= 11040)
NIN_API CUresult cuGraphInstantiateWithFlags(CUgraphExec* phGraphExec, CUgraph hGraph,
                                             unsigned long long flags) noexcept
    NIN_RESOLVED(cuGraphInstantiateWithFlags);

NIN_API CUresult cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream) noexcept
{
    return guarded<CUresult>("cuGraphLaunch", [&] {
        require_context();
        launch_on(*executables().get(hGraphExec, "hGraphExec"), hStream);
        return CUDA_SUCCESS;
    });
}

// There is nothing to upload; the handles are checked.
NIN_API CUresult cuGraphUpload(CUgraphExec hGraphExec, CUstream hStream) noexcept
{
    return guarded<CUresult>("cuGraphUpload", [&] {
        require_context();
        executables().get(hGraphExec, "hGraphExec");
        refuse_if_capturing(*get_stream(hStream));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuGraphGetNodes(CUgraph hGraph, CUgraphNode* nodes, size_t* numNodes) noexcept
{
    return guarded<CUresult>("cuGraphGetNodes", [&] {
        require_context();
        get_nodes(*graphs().get(hGraph, "hGraph"), nodes, numNodes);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuGraphExecDestroy(CUgraphExec hGraphExec) noexcept
{
    return guarded<CUresult>("cuGraphExecDestroy", [&] {
        require_context();
        executables().take(hGraphExec, "hGraphExec");
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuGraphDestroy(CUgraph hGraph) noexcept
{
    return guarded<CUresult>("cuGraphDestroy", [&] {
        require_context();
        graphs().take(hGraph, "hGraph");
        return CUDA_SUCCESS;
    });
}
