#include "host/graph.h"

namespace nin::host
{

void replay(const graph& recorded, const device_memory& memory) noexcept
{
    for (const graph_node& node : recorded.nodes) {
        if (const auto* op = std::get_if<operation>(&node.work))
            run_operation(*op, memory);
        else
            replay(*std::get<std::shared_ptr<const graph>>(node.work), memory);
    }
}

void launch(graph_exec& exec, stream& target)
{
    std::lock_guard lock(exec.mutex);
    if (!exec.last_launch.reached() && exec.last_launch.queue != target.queue)
        enqueue(target, wait_task{exec.last_launch});
    exec.last_launch = enqueue(target, replay_task{exec.recorded});
}

} // namespace nin::host
