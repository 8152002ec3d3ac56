#include "host/ptx.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace nin::host
{
namespace
{

// Splits into names and directives (".entry", "$L1", "sm_70"), numbers, strings and single punctuation characters.
class tokenizer
{
  public:
    explicit tokenizer(std::string_view text) : text_(text) { advance(); }

    std::string_view token() const noexcept { return token_; } // empty at the end of the text
    int line() const noexcept { return token_line_; }

    std::string_view take()
    {
        const std::string_view result = token_;
        advance();
        return result;
    }

    bool accept(std::string_view expected)
    {
        if (token_ != expected)
            return false;
        advance();
        return true;
    }

    void expect(std::string_view expected)
    {
        if (!accept(expected))
            fail("expected '" + std::string(expected) + "'");
    }

    [[noreturn]] void fail(const std::string& reason) const
    {
        const std::string found =
            token_.empty() ? "the end of the text" : "'" + std::string(token_.substr(0, 60)) + "'";
        throw ptx_error("ptx line " + std::to_string(token_line_) + ": " + reason + ", found " + found);
    }

  private:
    static bool is_word(char c)
    {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '$' || c == '%';
    }

    void skip_blanks_and_comments()
    {
        while (at_ < text_.size()) {
            if (text_[at_] == '\n')
                ++line_;
            if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
                ++at_;
            } else if (text_.compare(at_, 2, "//") == 0) {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (text_.compare(at_, 2, "/*") == 0) {
                const size_t end = text_.find("*/", at_ + 2);
                if (end == std::string_view::npos)
                    throw ptx_error("ptx line " + std::to_string(line_) + ": the comment does not end");
                line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                                     text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
                at_ = end + 2;
            } else {
                return;
            }
        }
    }

    void advance()
    {
        skip_blanks_and_comments();
        token_line_ = line_;
        const size_t start = at_;
        if (start < text_.size() && text_[start] == '"') {
            const size_t end = text_.find('"', start + 1);
            if (end == std::string_view::npos)
                throw ptx_error("ptx line " + std::to_string(line_) + ": the string does not end");
            at_ = end + 1;
        } else if (start < text_.size() && is_word(text_[start])) {
            while (at_ < text_.size() && is_word(text_[at_]))
                ++at_;
        } else if (start < text_.size()) {
            ++at_;
        }
        token_ = text_.substr(start, at_ - start);
    }

    std::string_view text_;
    size_t at_ = 0;
    int line_ = 1;
    std::string_view token_;
    int token_line_ = 1;
};

std::optional<size_t> parse_number(std::string_view text)
{
    size_t value = 0;
    auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || stop != text.data() + text.size())
        return std::nullopt;
    return value;
}

size_t take_number(tokenizer& in)
{
    const std::optional<size_t> value = parse_number(in.token());
    if (!value)
        in.fail("expected a number");
    in.take();
    return *value;
}

std::string_view take_name(tokenizer& in)
{
    const char first = in.token().empty() ? '\0' : in.token().front();
    if (std::isalpha(static_cast<unsigned char>(first)) == 0 && first != '_' && first != '$' && first != '%')
        in.fail("expected a name");
    return in.take();
}

// Bytes of a fundamental type such as ".f32"; 0 when it is none.
size_t type_bytes(std::string_view type)
{
    constexpr std::array<std::pair<std::string_view, size_t>, 16> types{{{".b8", 1},
                                                                         {".u8", 1},
                                                                         {".s8", 1},
                                                                         {".b16", 2},
                                                                         {".u16", 2},
                                                                         {".s16", 2},
                                                                         {".f16", 2},
                                                                         {".b32", 4},
                                                                         {".u32", 4},
                                                                         {".s32", 4},
                                                                         {".f32", 4},
                                                                         {".f16x2", 4},
                                                                         {".b64", 8},
                                                                         {".u64", 8},
                                                                         {".s64", 8},
                                                                         {".f64", 8}}};
    for (const auto& [name, bytes] : types) {
        if (name == type)
            return bytes;
    }
    return 0;
}

struct variable {
    size_t bytes;
    size_t align;
};

// [.align N] TYPE [.ptr [.SPACE] [.align N]] NAME [ '[' COUNT ']' ]...
variable read_variable(tokenizer& in)
{
    size_t align = in.accept(".align") ? take_number(in) : 0;
    const size_t element = type_bytes(in.token());
    if (element == 0)
        in.fail("expected a type");
    in.take();
    if (in.accept(".ptr")) {
        for (std::string_view space : {".global", ".const", ".local", ".shared"})
            in.accept(space);
        if (in.accept(".align"))
            take_number(in); // of what it points to
    }
    take_name(in);
    size_t bytes = element;
    while (in.accept("[")) {
        bytes *= in.token() == "]" ? 0 : take_number(in); // "[]" is dynamic shared memory
        in.expect("]");
    }
    return {bytes, align == 0 ? element : align};
}

void skip_statement(tokenizer& in)
{
    while (in.token() != ";") {
        if (in.token().empty())
            in.fail("expected ';'");
        in.take();
    }
    in.take();
}

// A balanced block; returns the bytes of the shared memory that it declares.
size_t skip_block(tokenizer& in)
{
    size_t shared = 0;
    in.expect("{");
    for (int depth = 1; depth > 0;) {
        if (in.token().empty())
            in.fail("expected '}'");
        if (in.accept(".shared")) {
            const variable declared = read_variable(in);
            shared = (shared + declared.align - 1) / declared.align * declared.align + declared.bytes;
            continue;
        }
        const std::string_view token = in.take();
        depth += token == "{" ? 1 : token == "}" ? -1 : 0;
    }
    return shared;
}

void read_version(tokenizer& in, ptx_module& module)
{
    in.expect(".version");
    const std::string_view text = in.token();
    const size_t dot = text.find('.');
    const auto major = dot == std::string_view::npos ? std::nullopt : parse_number(text.substr(0, dot));
    const auto minor = dot == std::string_view::npos ? std::nullopt : parse_number(text.substr(dot + 1));
    if (!major || !minor || *major > 99 || *minor > 9)
        in.fail("expected a version such as 6.3");
    in.take();
    module.version = static_cast<int>(*major * 10 + *minor);
}

void read_target(tokenizer& in, ptx_module& module)
{
    in.expect(".target");
    const std::string_view text = in.token();
    // "sm_70", perhaps with a feature letter ("sm_90a").
    std::string_view number = text.starts_with("sm_") ? text.substr(3) : std::string_view();
    if (!number.empty() && std::isalpha(static_cast<unsigned char>(number.back())) != 0)
        number.remove_suffix(1);
    const auto target = parse_number(number);
    if (!target || *target > 999)
        in.fail("expected a target such as sm_70");
    in.take();
    module.target = static_cast<int>(*target);
    while (in.accept(","))
        in.take(); // "debug", "texmode_unified"
}

// After ".entry": NAME ( PARAMETERS ) DIRECTIVES { BODY }
ptx_entry read_entry(tokenizer& in)
{
    ptx_entry entry;
    entry.name = take_name(in);
    if (in.accept("(") && !in.accept(")")) {
        do {
            in.expect(".param");
            const variable parameter = read_variable(in);
            entry.parameters.push_back({parameter.bytes, parameter.align});
        } while (in.accept(","));
        in.expect(")");
    }
    while (in.token() != "{") {
        if (in.accept(".maxntid") || in.accept(".reqntid")) {
            size_t threads = 1;
            do
                threads *= take_number(in);
            while (in.accept(","));
            entry.max_block_threads = static_cast<unsigned>(threads);
        } else if (in.accept(".minnctapersm") || in.accept(".maxnreg") || in.accept(".maxnctapersm")) {
            take_number(in);
        } else if (in.accept(".pragma")) {
            skip_statement(in);
        } else {
            in.fail("expected the kernel's body");
        }
    }
    entry.shared_bytes = skip_block(in);
    return entry;
}

// After ".func": a device function, declared or defined.
void skip_function(tokenizer& in)
{
    while (in.token() != ";" && in.token() != "{") {
        if (in.token().empty())
            in.fail("expected a function body");
        in.take();
    }
    if (!in.accept(";"))
        skip_block(in);
}

} // namespace

ptx_module read_ptx(std::string_view text)
{
    tokenizer in(text);
    ptx_module module{};
    read_version(in, module);
    read_target(in, module);
    if (in.accept(".address_size") && take_number(in) != 64)
        in.fail("expected .address_size 64");

    while (!in.token().empty()) {
        const bool is_extern = in.accept(".extern");
        if (!is_extern && !in.accept(".visible"))
            in.accept(".weak");
        if (in.accept(".entry")) {
            module.entries.push_back(read_entry(in));
        } else if (in.accept(".func")) {
            skip_function(in);
        } else if (in.accept(".global") || in.accept(".const") || in.accept(".shared") || in.accept(".pragma")) {
            skip_statement(in);
        } else if (in.accept(".file")) {
            take_number(in);
            in.take(); // the name; a time stamp and a size may follow
            while (in.accept(","))
                take_number(in);
        } else if (in.accept(".section")) {
            in.take();
            skip_block(in);
        } else {
            in.fail("unknown text at module level");
        }
    }
    return module;
}

} // namespace nin::host
