#include "abi_facts.h"

#include <algorithm>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace nin::tests::abi
{
namespace
{

std::string without_comments(const std::string& source)
{
    return std::regex_replace(source, std::regex("//[^\n]*"), "");
}

// One spelling per C type: no top-level const, no spaces around asterisks.
std::string normal_type(std::string type)
{
    type = std::regex_replace(type, std::regex("\\s+"), " ");
    type = std::regex_replace(type, std::regex("^ | $"), "");
    type = std::regex_replace(type, std::regex(" ?\\* ?"), "*");
    if (type.find('*') == std::string::npos)
        type = std::regex_replace(type, std::regex("^const "), "");
    // cuda.h's and library_types.h's second names.
    type = std::regex_replace(type, std::regex("\\bcuuint64_t\\b"), "uint64_t");
    return std::regex_replace(type, std::regex("\\bcudaDataType\\b"), "cudaDataType_t");
}

// "const float* A" or "T results[]" to the type alone; names are optional.
std::string parameter_type(const std::string& parameter)
{
    static const std::regex with_name("^\\s*(.*[\\w*]\\s*?[\\s*])\\s*(\\w+)\\s*(\\[\\])?\\s*$");
    static const std::set<std::string> type_words{"int", "char", "long", "float", "double"};
    std::smatch match;
    if (std::regex_match(parameter, match, with_name) && !type_words.contains(match[2].str()))
        return normal_type(match[1].str() + (match[3].matched ? "*" : ""));
    return normal_type(parameter);
}

std::vector<std::string> split(const std::string& list)
{
    std::vector<std::string> parts;
    std::stringstream stream(list);
    for (std::string part; std::getline(stream, part, ',');)
        parts.push_back(part);
    return parts;
}

int64_t number(const std::string& text)
{
    size_t end = 0;
    const int64_t value = std::stoll(text, &end, 0);
    if (text.find_first_not_of(" \n", end) != std::string::npos)
        throw std::runtime_error("not a number: " + text);
    return value;
}

template <typename Value> void add_once(std::map<std::string, Value>& all, const std::string& name, const Value& value)
{
    const auto [place, is_new] = all.emplace(name, value);
    if (!is_new && !compare(place->second, value).empty())
        throw std::runtime_error("two libraries record different facts of " + name);
}

} // namespace

void facts::add(const nlohmann::json& library)
{
    for (const auto& function : library.at("functions")) {
        prototype p{normal_type(function.at("returns")), {}};
        for (const auto& parameter : function.at("params"))
            p.parameters.push_back(normal_type(parameter.at("c_type")));
        add_once(functions, function.at("name"), p);
    }
    for (const auto& [name, enumerators] : library.at("enums").items()) {
        // The types of data and operations are in both cuBLAS's and cuBLASLt's facts, in the latter a part of them.
        values& all = enums[name];
        for (const auto& [enumerator, value] : enumerators.items())
            if (!all.emplace(enumerator, value.get<int64_t>()).second && all.at(enumerator) != value.get<int64_t>())
                throw std::runtime_error("two libraries record different values of " + enumerator);
    }
    for (const auto& [name, fact] : library.at("structs").items()) {
        structure s{fact.at("size"), fact.at("align"), {}};
        for (const auto& f : fact.at("fields"))
            s.fields.push_back({f.at("name"), f.at("offset"), f.at("size")});
        structs.emplace(name, s);
    }
    for (const auto& [name, value] : library.at("constants").items())
        constants.emplace(name, value.get<int64_t>());
}

facts read_facts()
{
    facts all;
    for (const char* library : {"driver", "cudnn", "cublas", "cublaslt"})
        all.add(nlohmann::json::parse(read_file(std::string(NIN_ABI_DIRECTORY) + "/" + library + ".json")));
    return all;
}

std::map<std::string, values> read_enums(const std::string& source)
{
    static const std::regex one("enum (\\w+) : int \\{([^}]*)\\}");
    static const std::regex item("\\s*(\\w+)\\s*=\\s*([^,]+?)\\s*");
    const std::string text = without_comments(source);
    std::map<std::string, values> result;
    for (std::sregex_iterator match(text.begin(), text.end(), one), end; match != end; ++match)
        for (const std::string& part : split((*match)[2])) {
            std::smatch enumerator;
            if (part.find_first_not_of(" \n") == std::string::npos)
                continue; // after the last comma
            if (!std::regex_match(part, enumerator, item))
                throw std::runtime_error("no value is written out for" + part);
            result[(*match)[1]].emplace(enumerator[1], number(enumerator[2]));
        }
    return result;
}

values read_constants(const std::string& source)
{
    static const std::regex one("constexpr [\\w ]*?(CU\\w+) = (\\w+);");
    values result;
    for (std::sregex_iterator match(source.begin(), source.end(), one), end; match != end; ++match)
        result.emplace((*match)[1], number((*match)[2]));
    return result;
}

std::map<std::string, prototype> read_exports(const std::string& source)
{
    static const std::regex one("NIN_API ([\\w\\s*]*?)\\b(cu\\w+)\\(([^)]*)\\)");
    const std::string text = without_comments(source);
    std::map<std::string, prototype> result;
    for (std::sregex_iterator match(text.begin(), text.end(), one), end; match != end; ++match) {
        prototype p{normal_type((*match)[1]), {}};
        for (const std::string& parameter : split((*match)[3]))
            p.parameters.push_back(parameter_type(parameter));
        result.emplace((*match)[2], p);
    }
    return result;
}

std::set<std::string> read_imports(const std::string& source)
{
    static const std::regex one("\\[LibraryImport\\(Library\\)\\]\\s*public static partial [\\w*]+ (\\w+)\\(");
    std::set<std::string> result;
    for (std::sregex_iterator match(source.begin(), source.end(), one), end; match != end; ++match)
        result.insert((*match)[1]);
    return result;
}

std::string read_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error("cannot open " + path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> read_files(const std::string& directory, const std::string& extension)
{
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
        if (entry.path().extension() == extension)
            result.push_back(read_file(entry.path()));
    return result;
}

std::set<std::string> exported_symbols(const std::string& path)
{
    const std::string file = read_file(path);
    const auto* const header = reinterpret_cast<const Elf64_Ehdr*>(file.data());
    const auto* const sections = reinterpret_cast<const Elf64_Shdr*>(file.data() + header->e_shoff);
    std::set<std::string> result;
    for (size_t i = 0; i < header->e_shnum; ++i) {
        if (sections[i].sh_type != SHT_DYNSYM)
            continue;
        const char* const names = file.data() + sections[sections[i].sh_link].sh_offset;
        const auto* const symbols = reinterpret_cast<const Elf64_Sym*>(file.data() + sections[i].sh_offset);
        for (size_t s = 0; s < sections[i].sh_size / sizeof(Elf64_Sym); ++s)
            if (symbols[s].st_shndx != SHN_UNDEF && ELF64_ST_BIND(symbols[s].st_info) != STB_LOCAL)
                result.insert(names + symbols[s].st_name);
    }
    return result;
}

std::vector<std::string> compare(const values& declared, const values& fact)
{
    std::vector<std::string> differences;
    for (const auto& [name, value] : declared) {
        const auto expected = fact.find(name);
        if (expected == fact.end())
            differences.push_back(name + " is not in the header");
        else if (value != expected->second)
            differences.push_back(name + " is " + std::to_string(value) + ", in the header " +
                                  std::to_string(expected->second));
    }
    return differences;
}

std::vector<std::string> compare(const prototype& declared, const prototype& fact)
{
    std::vector<std::string> differences;
    if (declared.returns != fact.returns)
        differences.push_back("returns " + declared.returns + ", in the header " + fact.returns);
    if (declared.parameters.size() != fact.parameters.size())
        differences.push_back(std::to_string(declared.parameters.size()) + " parameters, in the header " +
                              std::to_string(fact.parameters.size()));
    for (size_t i = 0; i < std::min(declared.parameters.size(), fact.parameters.size()); ++i)
        if (declared.parameters[i] != fact.parameters[i])
            differences.push_back("parameter " + std::to_string(i) + " is " + declared.parameters[i] +
                                  ", in the header " + fact.parameters[i]);
    return differences;
}

std::vector<std::string> compare(const structure& declared, const structure& fact)
{
    std::vector<std::string> differences;
    const auto check = [&](const std::string& what, size_t value, size_t expected) {
        if (value != expected)
            differences.push_back(what + " is " + std::to_string(value) + ", in the header " +
                                  std::to_string(expected));
    };
    check("the size", declared.size, fact.size);
    check("the alignment", declared.alignment, fact.alignment);
    check("the number of fields", declared.fields.size(), fact.fields.size());
    for (size_t i = 0; i < std::min(declared.fields.size(), fact.fields.size()); ++i) {
        const field &mine = declared.fields[i], &theirs = fact.fields[i];
        if (mine.name != theirs.name)
            differences.push_back("field " + mine.name + " stands in the place of " + theirs.name);
        check("the offset of " + mine.name, mine.offset, theirs.offset);
        check("the size of " + mine.name, mine.size, theirs.size);
    }
    return differences;
}

std::vector<std::string> missing(const std::set<std::string>& wanted, const std::set<std::string>& present)
{
    std::vector<std::string> result;
    std::set_difference(wanted.begin(), wanted.end(), present.begin(), present.end(), std::back_inserter(result));
    return result;
}

} // namespace nin::tests::abi
