// What the C headers of the four libraries say, as recorded beside the managed tests
// (tests/NinCudnn.Interop.Tests/abi), and what the host provider's sources say. Each difference that a comparer finds
// is one line of text.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace nin::tests::abi
{

using values = std::map<std::string, int64_t>;

struct prototype {
    std::string returns;
    std::vector<std::string> parameters; // C types
};

struct field {
    std::string name;
    size_t offset, size;
};

struct structure {
    size_t size, alignment;
    std::vector<field> fields;
};

// All four libraries' facts by name. Names that several of them record must be recorded alike.
struct facts {
    std::map<std::string, prototype> functions;
    std::map<std::string, values> enums;
    std::map<std::string, structure> structs;
    values constants;

    void add(const nlohmann::json& library);
};
facts read_facts();

// Enumerations with their written-out values; enumerators without one, or with another than a number, are refused.
std::map<std::string, values> read_enums(const std::string& source);
// `constexpr` integers of the names that the facts call constants.
values read_constants(const std::string& source);
// The exports that a source file defines (NIN_API).
std::map<std::string, prototype> read_exports(const std::string& source);
// The functions that the managed layer declares in a C# source file.
std::set<std::string> read_imports(const std::string& source);

std::string read_file(const std::string& path);
// The files below a directory with this extension, as one text each.
std::vector<std::string> read_files(const std::string& directory, const std::string& extension);

// The names that a shared library makes visible to others.
std::set<std::string> exported_symbols(const std::string& path);

std::vector<std::string> compare(const values& declared, const values& fact);
std::vector<std::string> compare(const prototype& declared, const prototype& fact);
std::vector<std::string> compare(const structure& declared, const structure& fact);
// What of `wanted` is missing in `present`.
std::vector<std::string> missing(const std::set<std::string>& wanted, const std::set<std::string>& present);

} // namespace nin::tests::abi
