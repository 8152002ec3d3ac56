// Recorded operations (CUgraph) and what launches them (CUgraphExec).
#pragma once

#include "host/stream.h"

#include <memory>
#include <mutex>
#include <variant>
#include <vector>

namespace nin::host
{

// A child graph stands where a graph was launched into a capturing stream.
using graph_work = std::variant<operation, std::shared_ptr<const graph>>;

struct graph_node {
    graph_work work;
    std::vector<size_t> dependencies; // indices of earlier nodes
    CUgraphNode handle;
};

// Nodes stand in the order in which they were recorded, which respects the dependencies.
struct graph {
    explicit graph(context& owner_) : owner(owner_) {}

    context& owner;
    std::vector<graph_node> nodes;
};

struct graph_exec {
    explicit graph_exec(std::shared_ptr<const graph> recorded_)
        : owner(recorded_->owner), recorded(std::move(recorded_))
    {
    }

    context& owner;
    const std::shared_ptr<const graph> recorded;

    std::mutex mutex;
    stream_point last_launch; // launches of one executable graph run one after the other, on whatever stream
};

// Runs all nodes now, on this thread.
void replay(const graph& recorded, const device_memory& memory) noexcept;

void launch(graph_exec& exec, stream& target);

} // namespace nin::host
