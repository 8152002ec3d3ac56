#include "host/module.h"

#include "host/lesser_device.h"

#include <cstring>

namespace nin::host
{
namespace
{

std::string listing(const std::vector<size_t>& sizes)
{
    std::string text = "(";
    for (size_t size : sizes)
        text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + ")";
}

void require_same_parameters(const ptx_entry& entry, const kernel_twin& twin)
{
    std::vector<size_t> in_ptx;
    std::vector<size_t> in_twin;
    for (const ptx_parameter& parameter : entry.parameters)
        in_ptx.push_back(parameter.size);
    for (const kernel_parameter& parameter : twin.parameters)
        in_twin.push_back(parameter.size);
    if (in_ptx != in_twin)
        refuse(CUDA_ERROR_INVALID_PTX, entry.name + ": the PTX has parameters of " + listing(in_ptx) +
                                           " bytes, the CPU kernel of " + listing(in_twin));
}

void check_shape(const function& kernel, const launch_shape& shape)
{
    const auto describe = [&] {
        const auto& [grid, block, shared] = shape;
        return kernel.entry.name + ": grid " + std::to_string(grid[0]) + "x" + std::to_string(grid[1]) + "x" +
               std::to_string(grid[2]) + ", block " + std::to_string(block[0]) + "x" + std::to_string(block[1]) + "x" +
               std::to_string(block[2]) + ", " + std::to_string(shared) + " bytes of dynamic shared memory: ";
    };
    uint64_t threads = 1;
    for (int axis = 0; axis < 3; ++axis) {
        if (shape.grid[axis] == 0 || shape.block[axis] == 0)
            refuse(CUDA_ERROR_INVALID_VALUE, describe() + "a dimension is 0");
        if (shape.grid[axis] > k_max_grid_dim[axis] || shape.block[axis] > k_max_block_dim[axis])
            refuse(CUDA_ERROR_INVALID_VALUE, describe() + "a dimension is above the device's limit");
        threads *= shape.block[axis];
    }
    if (threads > k_max_block_threads)
        refuse(CUDA_ERROR_INVALID_VALUE, describe() + "more than 1024 threads in a block");
    if (threads > kernel.max_block_threads())
        refuse(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, describe() + "more threads than the kernel was compiled for");
    if (shape.dynamic_shared_bytes > static_cast<unsigned>(kernel.max_dynamic_shared_bytes.load()))
        refuse(CUDA_ERROR_INVALID_VALUE, describe() + "more than CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES");
}

// The argument buffer of cuLaunchKernel's `extra`, which ends with CU_LAUNCH_PARAM_END.
struct packed_arguments {
    const std::byte* data = nullptr;
    size_t bytes = 0;
};

packed_arguments read_extra(void** extra)
{
    packed_arguments result;
    for (void** at = extra; reinterpret_cast<uintptr_t>(*at) != CU_LAUNCH_PARAM_END; at += 2) {
        if (reinterpret_cast<uintptr_t>(*at) == CU_LAUNCH_PARAM_BUFFER_POINTER)
            result.data = static_cast<const std::byte*>(at[1]);
        else if (reinterpret_cast<uintptr_t>(*at) == CU_LAUNCH_PARAM_BUFFER_SIZE && at[1] != nullptr)
            result.bytes = *static_cast<const size_t*>(at[1]);
        else
            refuse(CUDA_ERROR_INVALID_VALUE, "extra holds an unknown marker");
    }
    return result;
}

// One launch's arguments. Shared by the copies of its operation, so nothing here changes when it runs.
struct launch_arguments {
    const kernel_twin* twin;
    std::vector<std::byte> bytes;
    std::vector<size_t> offsets;
};

std::shared_ptr<launch_arguments> copy_arguments(const function& kernel, void** kernel_params, void** extra)
{
    require(kernel_params == nullptr || extra == nullptr, CUDA_ERROR_INVALID_VALUE,
            "kernelParams and extra are exclusive");
    auto copy = std::make_shared<launch_arguments>();
    copy->twin = &kernel.twin;
    copy->offsets = kernel.offsets;
    copy->bytes.resize(kernel.argument_bytes);
    if (kernel.argument_bytes == 0)
        return copy;
    if (kernel_params != nullptr) {
        for (size_t i = 0; i < kernel.offsets.size(); ++i) {
            require_pointer(kernel_params[i], "an element of kernelParams");
            std::memcpy(copy->bytes.data() + kernel.offsets[i], kernel_params[i], kernel.twin.parameters[i].size);
        }
        return copy;
    }
    require_pointer(extra, "kernelParams and extra");
    const packed_arguments packed = read_extra(extra);
    if (packed.data == nullptr || packed.bytes < kernel.argument_bytes)
        refuse(CUDA_ERROR_INVALID_VALUE, kernel.entry.name + " takes " + std::to_string(kernel.argument_bytes) +
                                             " bytes of arguments, extra has " + std::to_string(packed.bytes));
    std::memcpy(copy->bytes.data(), packed.data, kernel.argument_bytes);
    return copy;
}

// The kernel with its pointer arguments replaced by the host pointers of this run.
void run_launch(const launch_arguments& launch, void* const* pointers)
{
    std::vector<const void*> arguments(launch.offsets.size());
    for (size_t i = 0; i < arguments.size(); ++i)
        arguments[i] = launch.twin->parameters[i].is_pointer ? static_cast<const void*>(pointers++)
                                                             : &launch.bytes[launch.offsets[i]];
    launch.twin->run(arguments.data());
}

} // namespace

function::function(context& owner_, std::shared_ptr<const module> parent_, const ptx_entry& entry_,
                   const kernel_twin& twin_)
    : owner(owner_), parent(std::move(parent_)), entry(entry_), twin(twin_), argument_bytes(0), pointer_count(0),
      max_dynamic_shared_bytes(k_shared_bytes_per_block - static_cast<int>(entry_.shared_bytes))
{
    for (const kernel_parameter& parameter : twin.parameters)
        pointer_count += parameter.is_pointer ? 1 : 0;
    for (const ptx_parameter& parameter : entry.parameters) {
        const size_t offset = (argument_bytes + parameter.align - 1) / parameter.align * parameter.align;
        offsets.push_back(offset);
        argument_bytes = offset + parameter.size;
    }
}

unsigned function::max_block_threads() const noexcept
{
    return entry.max_block_threads != 0 && entry.max_block_threads < k_max_block_threads ? entry.max_block_threads
                                                                                         : k_max_block_threads;
}

std::shared_ptr<module> load_module(context& owner, const void* image)
{
    constexpr unsigned char elf_magic[4] = {0x7F, 'E', 'L', 'F'};
    constexpr unsigned char fatbin_magic[4] = {0x50, 0xED, 0x55, 0xBA};
    const auto* text = static_cast<const char*>(image);
    require(*text != '\0', CUDA_ERROR_INVALID_IMAGE, "the image is empty");
    // strncmp reads no further than a NUL, whatever the image is.
    const auto starts_with = [text](const unsigned char(&magic)[4]) {
        return std::strncmp(text, reinterpret_cast<const char*>(magic), sizeof(magic)) == 0;
    };
    require(!starts_with(elf_magic) && !starts_with(fatbin_magic), CUDA_ERROR_NO_BINARY_FOR_GPU,
            "the image is compiled GPU code; the host provider takes PTX text only");
    ptx_module parsed{};
    try {
        parsed = read_ptx(text);
    } catch (const ptx_error& e) {
        refuse(CUDA_ERROR_INVALID_PTX, e.what());
    }
    const int newest = lesser().newest_ptx_version();
    if (parsed.version > newest)
        refuse(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "PTX version " + std::to_string(parsed.version) +
                                                       " (major * 10 + minor) is newer than " + std::to_string(newest));
    if (parsed.target > k_compute_capability)
        refuse(CUDA_ERROR_INVALID_PTX, "target sm_" + std::to_string(parsed.target) + " is above the device's sm_" +
                                           std::to_string(k_compute_capability));
    return std::make_shared<module>(owner, std::move(parsed));
}

std::shared_ptr<function> find_function(const std::shared_ptr<module>& parent, const char* name)
{
    for (const ptx_entry& entry : parent->text.entries) {
        if (entry.name != name)
            continue;
        const kernel_twin* twin = find_kernel_twin(name);
        if (twin == nullptr)
            refuse(CUDA_ERROR_NO_BINARY_FOR_GPU,
                   std::string(name) + ": the host provider has no CPU kernel of this name");
        require_same_parameters(entry, *twin);
        return std::make_shared<function>(parent->owner, parent, entry, *twin);
    }
    refuse(CUDA_ERROR_NOT_FOUND, "the module has no entry '" + std::string(name) + "'");
}

operation make_launch(const function& kernel, const launch_shape& shape, void** kernel_params, void** extra)
{
    check_shape(kernel, shape);
    std::shared_ptr<const launch_arguments> launch = copy_arguments(kernel, kernel_params, extra);
    std::vector<const void*> arguments(launch->offsets.size());
    for (size_t i = 0; i < arguments.size(); ++i)
        arguments[i] = &launch->bytes[launch->offsets[i]];
    std::vector<memory_access> accesses;
    try {
        accesses = kernel.twin.accesses(arguments.data());
    } catch (const std::exception& e) {
        refuse(CUDA_ERROR_INVALID_VALUE, kernel.entry.name + ": " + e.what());
    }
    require(accesses.size() == kernel.pointer_count, CUDA_ERROR_UNKNOWN,
            "the CPU kernel does not declare one access per pointer parameter");
    return {kernel.twin.name.data(), std::move(accesses),
            [launch = std::move(launch)](void* const* pointers) { run_launch(*launch, pointers); }};
}

} // namespace nin::host
