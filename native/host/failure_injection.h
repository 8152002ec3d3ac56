// NIN_HOST_FAIL=<function>:<k>:<status>[,...]: the k-th call of the exported function (from 1) returns that status
// number and does nothing else; the function * counts every call. Functions that return no status have no calls here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nin::host
{

struct injected_failure {
    std::string function;
    uint64_t call;
    int status;
};

// Refuses what is not of that form, and functions that the library doesn't export, with CUDA_ERROR_INVALID_VALUE.
std::vector<injected_failure> parse_failures(std::string_view list);

} // namespace nin::host
