// Modules, functions, launches and occupancy.
#include "host/capture.h"
#include "host/driver.h"
#include "host/handles.h"
#include "host/module.h"

#include <algorithm>
#include <cstring>

namespace nin::host
{
namespace
{

auto& modules()
{
    return table<CUmodule, module>();
}
auto& functions()
{
    return table<CUfunction, function>();
}

// One log of a JIT call: the caller's buffer, and the cell that holds its size and takes the bytes used.
struct jit_log {
    char* buffer = nullptr;
    void** size_cell = nullptr;

    void write(const std::string& text) const
    {
        if (size_cell == nullptr)
            return;
        // The cell holds the size itself, a 32-bit value.
        const auto capacity = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(*size_cell));
        size_t used = 0;
        if (capacity > 0) {
            used = std::min<size_t>(text.size(), capacity - 1);
            std::memcpy(buffer, text.data(), used);
            buffer[used] = '\0';
        }
        *size_cell = reinterpret_cast<void*>(used);
    }

    void require_complete() const
    {
        require((buffer == nullptr) == (size_cell == nullptr), CUDA_ERROR_INVALID_VALUE,
                "a log buffer and its size go together");
    }
};

struct jit_options {
    jit_log info;
    jit_log error;
};

jit_options read_jit_options(unsigned int count, const CUjit_option* options, void** values)
{
    jit_options result;
    if (count == 0)
        return result;
    require_pointer(options, "options");
    require_pointer(values, "optionValues");
    for (unsigned int i = 0; i < count; ++i) {
        switch (options[i]) {
        case CU_JIT_INFO_LOG_BUFFER:
            result.info.buffer = static_cast<char*>(values[i]);
            break;
        case CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES:
            result.info.size_cell = &values[i];
            break;
        case CU_JIT_ERROR_LOG_BUFFER:
            result.error.buffer = static_cast<char*>(values[i]);
            break;
        case CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES:
            result.error.size_cell = &values[i];
            break;
        default: // the others steer a compilation that does not take place
            require(options[i] >= CU_JIT_MAX_REGISTERS && options[i] <= CU_JIT_BINARY_LOADER_THREAD_COUNT,
                    CUDA_ERROR_INVALID_VALUE, "unknown JIT option");
        }
    }
    result.info.require_complete();
    result.error.require_complete();
    return result;
}

CUmodule load(const void* image, const jit_options& options)
{
    context& current = require_context();
    refuse_unsafe_call();
    require_pointer(image, "image");
    options.info.write("");
    try {
        const CUmodule handle = modules().add(load_module(current, image));
        options.error.write("");
        return handle;
    } catch (const refusal<CUresult>& e) {
        options.error.write(e.what());
        throw;
    }
}

void unload(CUmodule handle)
{
    context& current = require_context();
    refuse_unsafe_call();
    const std::shared_ptr<module> unloaded = modules().take(handle, "hmod");
    functions().remove_if([&](const function& one) { return one.parent == unloaded; });
    current.wait_idle(); // queued launches still run
    require_no_error();
}

int function_attribute(const function& kernel, CUfunction_attribute attribute)
{
    switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
        return static_cast<int>(kernel.max_block_threads());
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
        return static_cast<int>(kernel.entry.shared_bytes);
    case CU_FUNC_ATTRIBUTE_PTX_VERSION:
        return kernel.parent->text.target;
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
        return k_compute_capability;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
        return kernel.max_dynamic_shared_bytes;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
        return kernel.shared_carveout;
    case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES: // what follows has no counterpart on the host
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
    case CU_FUNC_ATTRIBUTE_NUM_REGS:
    case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA:
        return 0;
    }
    refuse(CUDA_ERROR_INVALID_VALUE, "unknown attribute");
}

void set_function_attribute(function& kernel, CUfunction_attribute attribute, int value)
{
    if (attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) {
        require(value >= 0 && value <= k_shared_bytes_per_block_optin - static_cast<int>(kernel.entry.shared_bytes),
                CUDA_ERROR_INVALID_VALUE, "static and dynamic shared memory do not fit the device's limit");
        kernel.max_dynamic_shared_bytes = value;
    } else if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) {
        require(value >= -1 && value <= 100, CUDA_ERROR_INVALID_VALUE, "the carveout is a percentage, or -1");
        kernel.shared_carveout = value;
    } else {
        refuse(CUDA_ERROR_INVALID_VALUE, "the attribute cannot be set");
    }
}

// Blocks of that size that fit one multiprocessor at once.
int active_blocks(const function& kernel, int block_threads, size_t dynamic_shared_bytes)
{
    int blocks = std::min(k_threads_per_multiprocessor / block_threads, k_blocks_per_multiprocessor);
    const size_t shared = kernel.entry.shared_bytes + dynamic_shared_bytes;
    if (shared != 0)
        blocks =
            static_cast<int>(std::min<size_t>(static_cast<size_t>(blocks), k_shared_bytes_per_multiprocessor / shared));
    return blocks;
}

struct occupancy {
    int grid;
    int block;
};

// The block size with the most resident threads; of equals the largest.
occupancy best_occupancy(const function& kernel, CUoccupancyB2DSize shared_of_block, size_t shared_bytes, int limit)
{
    const int max_threads = static_cast<int>(kernel.max_block_threads());
    const int largest = limit == 0 ? max_threads : std::min(limit, max_threads);
    occupancy best{0, 0};
    int best_threads = 0;
    for (int block = largest; block > 0; block = (block - 1) / 32 * 32) { // whole warps, and the limit itself
        const size_t shared = shared_of_block != nullptr ? shared_of_block(block) : shared_bytes;
        const int blocks = active_blocks(kernel, block, shared);
        if (blocks * block > best_threads) {
            best_threads = blocks * block;
            best = {blocks * thread_count(), block};
        }
    }
    require(best.block != 0, CUDA_ERROR_INVALID_VALUE, "no block size leaves room for the shared memory");
    return best;
}

void launch_kernel(CUfunction handle, const launch_shape& shape, CUstream stream_handle, void** params, void** extra)
{
    const std::shared_ptr<stream> target = get_stream(stream_handle);
    const std::shared_ptr<function> kernel = functions().get(handle, "f");
    require(&kernel->owner == &target->owner, CUDA_ERROR_INVALID_HANDLE,
            "function and stream belong to different contexts");
    submit_work(target, make_launch(*kernel, shape, params, extra));
}

} // namespace
} // namespace nin::host

using namespace nin::host;

NIN_API CUresult cuModuleLoadData(CUmodule* module, const void* image) noexcept
{
    return guarded<CUresult>("cuModuleLoadData", [&] {
        require_pointer(module, "module");
        *module = load(image, {});
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned int numOptions, CUjit_option* options,
                                    void** optionValues) noexcept
{
    return guarded<CUresult>("cuModuleLoadDataEx", [&] {
        require_pointer(module, "module");
        *module = load(image, read_jit_options(numOptions, options, optionValues));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuModuleUnload(CUmodule hmod) noexcept
{
    return guarded<CUresult>("cuModuleUnload", [&] {
        unload(hmod);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuModuleGetFunction(CUfunction* hfunc, CUmodule hmod, const char* name) noexcept
{
    return guarded<CUresult>("cuModuleGetFunction", [&] {
        require_context();
        require_pointer(hfunc, "hfunc");
        require_pointer(name, "name");
        *hfunc = functions().add(find_function(modules().get(hmod, "hmod"), name));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuFuncGetAttribute(int* pi, CUfunction_attribute attrib, CUfunction hfunc) noexcept
{
    return guarded<CUresult>("cuFuncGetAttribute", [&] {
        require_context();
        require_pointer(pi, "pi");
        *pi = function_attribute(*functions().get(hfunc, "hfunc"), attrib);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuFuncSetAttribute(CUfunction hfunc, CUfunction_attribute attrib, int value) noexcept
{
    return guarded<CUresult>("cuFuncSetAttribute", [&] {
        require_context();
        set_function_attribute(*functions().get(hfunc, "hfunc"), attrib, value);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuLaunchKernel(CUfunction f, unsigned int gridDimX, unsigned int gridDimY, unsigned int gridDimZ,
                                unsigned int blockDimX, unsigned int blockDimY, unsigned int blockDimZ,
                                unsigned int sharedMemBytes, CUstream hStream, void** kernelParams,
                                void** extra) noexcept
{
    return guarded<CUresult>("cuLaunchKernel", [&] {
        const launch_shape shape{{gridDimX, gridDimY, gridDimZ}, {blockDimX, blockDimY, blockDimZ}, sharedMemBytes};
        launch_kernel(f, shape, hStream, kernelParams, extra);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuOccupancyMaxPotentialBlockSize(int* minGridSize, int* blockSize, CUfunction func,
                                                  CUoccupancyB2DSize blockSizeToDynamicSMemSize, size_t dynamicSMemSize,
                                                  int blockSizeLimit) noexcept
{
    return guarded<CUresult>("cuOccupancyMaxPotentialBlockSize", [&] {
        require_context();
        require_pointer(minGridSize, "minGridSize");
        require_pointer(blockSize, "blockSize");
        require(blockSizeLimit >= 0, CUDA_ERROR_INVALID_VALUE, "blockSizeLimit is negative");
        const occupancy best =
            best_occupancy(*functions().get(func, "func"), blockSizeToDynamicSMemSize, dynamicSMemSize, blockSizeLimit);
        *minGridSize = best.grid;
        *blockSize = best.block;
        return CUDA_SUCCESS;
    });
}
