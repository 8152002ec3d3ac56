// libnin_host against the recorded headers: what it exports, and the names, types and values in its own headers.
#include "abi_facts.h"
#include "host/abi/cublaslt.h"
#include "host/abi/cudnn.h"

#include <cstddef>
#include <dlfcn.h>
#include <gtest/gtest.h>

namespace nin::tests
{
namespace
{

using namespace abi;

const facts& header()
{
    static const facts all = read_facts();
    return all;
}

std::string text_of(const std::vector<std::string>& lines)
{
    std::string text;
    for (const std::string& line : lines)
        text += line + "\n";
    return text;
}

template <typename Value> std::set<std::string> names_of(const std::map<std::string, Value>& map)
{
    std::set<std::string> names;
    for (const auto& [name, value] : map)
        names.insert(name);
    return names;
}

std::map<std::string, prototype> exports()
{
    std::map<std::string, prototype> all;
    for (const std::string& source : read_files(NIN_SOURCE_DIRECTORY "/native/host", ".cpp"))
        all.merge(read_exports(source));
    return all;
}

// The library that this process calls, found through one of its functions.
std::string library_path()
{
    Dl_info info{};
    return dladdr(reinterpret_cast<const void*>(&cudnnGetVersion), &info) != 0 ? info.dli_fname : "";
}

#define NIN_FIELD(type, name)                                                                                          \
    field                                                                                                              \
    {                                                                                                                  \
#name, offsetof(type, name), sizeof(type::name)                                                                \
    }

template <typename Perf> structure perf_structure()
{
    return {sizeof(Perf),
            alignof(Perf),
            {NIN_FIELD(Perf, algo), NIN_FIELD(Perf, status), NIN_FIELD(Perf, time), NIN_FIELD(Perf, memory),
             NIN_FIELD(Perf, determinism), NIN_FIELD(Perf, mathType), NIN_FIELD(Perf, reserved)}};
}

std::map<std::string, structure> structures()
{
    using result = cublasLtMatmulHeuristicResult_t;
    return {
        {"CUuuid", {sizeof(CUuuid), alignof(CUuuid), {NIN_FIELD(CUuuid, bytes)}}},
        {"cudnnConvolutionFwdAlgoPerf_t", perf_structure<cudnnConvolutionFwdAlgoPerf_t>()},
        {"cudnnConvolutionBwdDataAlgoPerf_t", perf_structure<cudnnConvolutionBwdDataAlgoPerf_t>()},
        {"cudnnConvolutionBwdFilterAlgoPerf_t", perf_structure<cudnnConvolutionBwdFilterAlgoPerf_t>()},
        {"cublasLtMatmulAlgo_t",
         {sizeof(cublasLtMatmulAlgo_t), alignof(cublasLtMatmulAlgo_t), {NIN_FIELD(cublasLtMatmulAlgo_t, data)}}},
        {"cublasLtMatmulHeuristicResult_t",
         {sizeof(result),
          alignof(result),
          {NIN_FIELD(result, algo), NIN_FIELD(result, workspaceSize), NIN_FIELD(result, state),
           NIN_FIELD(result, wavesCount), NIN_FIELD(result, reserved)}}},
    };
}

TEST(abi_conformance, Exports_AreAllThatTheManagedLayerDeclares)
{
    std::set<std::string> imports;
    for (const std::string& source : read_files(NIN_SOURCE_DIRECTORY "/managed/NinCudnn.Interop", ".cs"))
        imports.merge(read_imports(source));
    ASSERT_GT(imports.size(), 100u); // the expression above still finds them
    EXPECT_EQ("", text_of(missing(imports, names_of(header().functions))));
    EXPECT_EQ("", text_of(missing(imports, exported_symbols(library_path()))));
}

TEST(abi_conformance, Exports_AreFunctionsOfTheHeadersOnly)
{
    const auto symbols = exported_symbols(library_path());
    EXPECT_EQ("", text_of(missing(symbols, names_of(header().functions))));
    // What the sources define is what the library exports: the prototypes below are those of all exports.
    EXPECT_EQ(symbols, names_of(exports()));
}

TEST(abi_conformance, Prototypes_AreTheHeaders)
{
    for (const auto& [name, declared] : exports()) {
        ASSERT_TRUE(header().functions.contains(name)) << name;
        EXPECT_EQ("", text_of(compare(declared, header().functions.at(name)))) << name;
    }
}

TEST(abi_conformance, Enumerators_HaveTheHeadersValues)
{
    size_t enumerators = 0;
    for (const std::string& source : read_files(NIN_SOURCE_DIRECTORY "/native/host/abi", ".h"))
        for (const auto& [name, declared] : read_enums(source)) {
            ASSERT_TRUE(header().enums.contains(name)) << name;
            EXPECT_EQ("", text_of(compare(declared, header().enums.at(name)))) << name;
            enumerators += declared.size();
        }
    EXPECT_GT(enumerators, 400u);
}

TEST(abi_conformance, Constants_HaveTheHeadersValues)
{
    const values declared = read_constants(read_file(NIN_SOURCE_DIRECTORY "/native/host/abi/cuda.h"));
    EXPECT_EQ(12u, declared.size());
    EXPECT_EQ("", text_of(compare(declared, header().constants)));
}

TEST(abi_conformance, Structures_HaveTheHeadersLayout)
{
    for (const auto& [name, declared] : structures()) {
        ASSERT_TRUE(header().structs.contains(name)) << name;
        EXPECT_EQ("", text_of(compare(declared, header().structs.at(name)))) << name;
    }
}

// The comparers themselves: each must see a difference of its kind.

TEST(abi_comparer, Values_WrongOrUnknown_AreNamed)
{
    const values fact{{"A", 1}, {"B", 2}};
    EXPECT_EQ("", text_of(compare(values{{"A", 1}}, fact)));
    EXPECT_EQ("A is 3, in the header 1\nC is not in the header\n", text_of(compare(values{{"A", 3}, {"C", 2}}, fact)));
}

TEST(abi_comparer, Prototypes_OtherTypesOrCounts_AreNamed)
{
    const auto read = [](const char* source) { return read_exports(source).at("cuF"); };
    const prototype fact = read("NIN_API CUresult cuF(const float *const* a, int b) noexcept");
    EXPECT_EQ("", text_of(compare(read("NIN_API CUresult\ncuF(const float* const*a,\n const int)"), fact)));
    EXPECT_EQ("parameter 0 is float*const*, in the header const float*const*\n",
              text_of(compare(read("NIN_API CUresult cuF(float* const* a, int b)"), fact)));
    EXPECT_EQ("returns int, in the header CUresult\n1 parameters, in the header 2\n",
              text_of(compare(read("NIN_API int cuF(const float* const* a)"), fact)));
}

TEST(abi_comparer, Structures_OtherOffsets_AreNamed)
{
    const structure fact{16, 8, {{"a", 0, 4}, {"b", 8, 8}}};
    EXPECT_EQ("", text_of(compare(fact, fact)));
    EXPECT_EQ("the size is 12, in the header 16\nfield c stands in the place of b\nthe offset of c is 4, in the "
              "header 8\n",
              text_of(compare({12, 8, {{"a", 0, 4}, {"c", 4, 8}}}, fact)));
}

TEST(abi_comparer, Names_Missing_AreNamed)
{
    EXPECT_EQ("cuB\n", text_of(missing({"cuA", "cuB"}, {"cuA", "cuC"})));
}

TEST(abi_reader, Enumerators_WithoutAWrittenValue_AreRefused)
{
    EXPECT_EQ((values{{"A", 1}, {"B", -2}}), read_enums("enum E : int { A = 1, // one\n B = -2, };").at("E"));
    EXPECT_THROW(read_enums("enum E : int { A = 1, B };"), std::runtime_error);
    EXPECT_THROW(read_enums("enum E : int { A = 1, B = A + 1 };"), std::invalid_argument);
}

} // namespace
} // namespace nin::tests
