// Reads the parts of PTX text that a host provider needs: version, target, and each kernel entry with its parameters.
// Kernel bodies are skipped, apart from the shared memory they declare.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace nin::host
{

struct ptx_parameter {
    size_t size;  // bytes
    size_t align; // bytes
};

struct ptx_entry {
    std::string name;
    std::vector<ptx_parameter> parameters;
    size_t shared_bytes = 0;        // static shared memory
    unsigned max_block_threads = 0; // .maxntid or .reqntid; 0: not given
};

struct ptx_module {
    int version; // major * 10 + minor, as in .version
    int target;  // 70 for sm_70
    std::vector<ptx_entry> entries;
};

// The text is not PTX as this reader knows it; what() says the line and the reason.
class ptx_error : public std::runtime_error
{
  public:
    using std::runtime_error::runtime_error;
};

ptx_module read_ptx(std::string_view text);

} // namespace nin::host
