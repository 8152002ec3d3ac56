// What every exported function goes through: the export macro and the guard that turns exceptions into statuses,
// writes the trace line (NIN_HOST_TRACE=1) and is the one place where a test can make a call fail.
#pragma once

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>

#define NIN_API extern "C" __attribute__((visibility("default")))

namespace nin::host
{

// Thrown inside an exported function's body; leaves it as the status. The text reaches the trace and, for cuDNN,
// cudnnGetLastErrorString.
template <typename Status> class refusal : public std::exception
{
  public:
    refusal(Status status, std::string text) : status_(status), text_(std::move(text)) {}
    Status status() const noexcept { return status_; }
    const char* what() const noexcept override { return text_.c_str(); }

  private:
    Status status_;
    std::string text_;
};

// Per status type: success, the status for an unexpected exception, and for a failed allocation; what a caller sees
// of a status; what else an injected one does.
template <typename Status> struct status_traits;

// Called once per API call with its outcome (text is empty on success). Never throws.
void trace_call(const char* function, int status, const char* text) noexcept;

// Keeps the text of the calling thread's last refusal, as cudnnGetLastErrorString reports it.
void set_last_error_text(const char* text) noexcept;
const std::string& last_error_text() noexcept;

// Failures that NIN_HOST_FAIL asks for (failure_injection.h): whether there are any, and the status that this call of
// the function must return instead of running.
extern const bool failures_are_injected;
std::optional<int> next_injected_status(const char* function) noexcept;

// Returns the status if this call is to fail.
template <typename Status> std::optional<Status> injected_status(const char* function) noexcept
{
    const std::optional<int> number = next_injected_status(function);
    if (!number)
        return std::nullopt;
    const auto status = static_cast<Status>(*number);
    constexpr const char* text = "injected by NIN_HOST_FAIL";
    status_traits<Status>::injected(status, text);
    set_last_error_text(text);
    trace_call(function, *number, text);
    return status;
}

template <typename Status, typename Body> Status guarded(const char* function, Body&& body) noexcept
{
    if (failures_are_injected) [[unlikely]]
        if (const std::optional<Status> injected = injected_status<Status>(function))
            return *injected;
    Status status = status_traits<Status>::success;
    std::string text;
    try {
        status = std::forward<Body>(body)();
    } catch (const refusal<Status>& e) {
        status = e.status();
        text = e.what();
    } catch (const std::bad_alloc&) {
        status = status_traits<Status>::allocation_failed;
        text = "out of host memory";
    } catch (const std::exception& e) {
        status = status_traits<Status>::internal_error;
        text = e.what();
    } catch (...) {
        status = status_traits<Status>::internal_error;
        text = "unknown exception";
    }
    if (status != status_traits<Status>::success) {
        status = status_traits<Status>::reported(status);
        set_last_error_text(text.c_str());
    }
    trace_call(function, static_cast<int>(status), text.c_str());
    return status;
}

} // namespace nin::host
