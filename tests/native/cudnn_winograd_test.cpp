// Large float convolutions in NHWC, which run by Winograd's minimal filtering, against double-precision plain loops.
#include "cudnn_convolution_fixture.h"
#include "driver_test.h"

#include <algorithm>

namespace nin::tests
{
namespace
{

struct winograd_case {
    int n, c, h, w, k, taps, pad;
};

// Errors over the reference's root mean square. Measured over these cases and several seeds: root mean square up to
// 6e-6 (the direct sum: 1e-6), largest up to 7.5e-5. The bounds leave room for another order of summation; one wrong
// product would give about 1e-2.
constexpr double k_root_mean_square = 1e-5;
constexpr double k_largest = 1e-4;

class cudnn_winograd : public cudnn_test
{
  protected:
    struct problem {
        convolution_fixture<f32_type> f;

        explicit problem(const winograd_case& s)
            : f({s.n, s.c, s.h, s.w, s.k, s.taps, s.taps, s.pad, s.pad, 1, 1, 1, 1}, CUDNN_TENSOR_NHWC)
        {
            f.x_data = uniform(f.x.count(), 1);
            f.w_data = uniform(f.w.count(), 2);
            f.y_data = uniform(f.y.count(), 3);
        }

        // The convolution in doubles. One loop for all directions: per output pixel and tap, k x c products of
        // neighbouring memory.
        std::vector<double> reference(direction d) const
        {
            const auto& p = f.p;
            const std::vector<double> x(f.x_data.begin(), f.x_data.end()), w(f.w_data.begin(), f.w_data.end());
            std::vector<double> y(f.y_data.begin(), f.y_data.end());
            std::vector<double> result((d == direction::forward         ? f.y
                                        : d == direction::backward_data ? f.x
                                                                        : f.w)
                                           .count());
            for (int n = 0; n < p.n; ++n)
                for (int oh = 0; oh < f.y.dims[2]; ++oh)
                    for (int ow = 0; ow < f.y.dims[3]; ++ow)
                        for (int r = 0; r < p.r; ++r)
                            for (int s = 0; s < p.s; ++s) {
                                const int h = oh - p.pad_h + r, v = ow - p.pad_w + s;
                                if (h < 0 || h >= p.h || v < 0 || v >= p.w)
                                    continue;
                                const size_t xi = f.x.at(n, 0, h, v), yi = f.y.at(n, 0, oh, ow);
                                for (int k = 0; k < p.k; ++k)
                                    accumulate(d, p.c, &x[xi], &w[f.w.at(k, 0, r, s)], y[yi + k], result, xi,
                                               f.w.at(k, 0, r, s), yi + k);
                            }
            return result;
        }

      private:
        static std::vector<float> uniform(size_t count, unsigned seed)
        {
            std::mt19937 generator(seed);
            std::uniform_real_distribution<float> distribution(-1, 1);
            std::vector<float> values(count);
            for (float& value : values)
                value = distribution(generator);
            return values;
        }

        static void accumulate(direction d, int channels, const double* x, const double* w, double y,
                               std::vector<double>& result, size_t xi, size_t wi, size_t yi)
        {
            switch (d) {
            case direction::forward: {
                double sum = 0;
                for (int c = 0; c < channels; ++c)
                    sum += x[c] * w[c];
                result[yi] += sum;
                break;
            }
            case direction::backward_data:
                for (int c = 0; c < channels; ++c)
                    result[xi + c] += y * w[c];
                break;
            case direction::backward_filter:
                for (int c = 0; c < channels; ++c)
                    result[wi + c] += y * x[c];
                break;
            }
        }
    };

    // The result by an algorithm; 1 is the one that may choose the method, 0 the direct sum.
    std::vector<float> run(const convolution_fixture<f32_type>& f, direction d, int algo = 1)
    {
        size_t bytes = 0;
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, f.workspace_size(handle_, d, algo, &bytes));
        const device_array<uint8_t> workspace(bytes);
        const device_array<float> first(f.first(d)), second(f.second(d));
        const device_array<float> result((d == direction::forward         ? f.y
                                          : d == direction::backward_data ? f.x
                                                                          : f.w)
                                             .count());
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, f.run(handle_, d, algo, 1, 0, pointer(first), pointer(second), pointer(result),
                                              pointer(workspace), bytes));
        workspace.download(); // checks its guards
        return result.download();
    }

    // Differences over the reference's root mean square. NaN where the result has one.
    struct errors {
        double root_mean_square, largest;

        errors(const std::vector<float>& actual, const std::vector<double>& expected)
        {
            double worst = 0, squares = 0, scale = 0;
            for (size_t i = 0; i < expected.size(); ++i) {
                const double difference = std::abs(actual[i] - expected[i]);
                if (!(difference <= worst))
                    worst = difference;
                squares += difference * difference;
                scale += expected[i] * expected[i];
            }
            root_mean_square = std::sqrt(squares / scale);
            largest = worst / std::sqrt(scale / static_cast<double>(expected.size()));
        }
    };
};

TEST_F(cudnn_winograd, EveryDirection_IsCloseToDoublePrecision)
{
    // The two layers of the seed network, then odd ones: extents that are no multiple of the 4x4 tile, one image,
    // channels that are no multiple of a vector, other paddings.
    for (const auto& s : {winograd_case{1, 96, 26, 26, 256, 5, 2},
                          {5, 256, 12, 12, 384, 3, 1},
                          {1, 33, 27, 25, 35, 3, 1},
                          {3, 37, 19, 15, 50, 5, 2},
                          {3, 40, 21, 18, 33, 3, 0},
                          {1, 34, 33, 30, 41, 5, 4}})
        for (const auto d : {direction::forward, direction::backward_data, direction::backward_filter}) {
            const problem p(s);
            const errors e(run(p.f, d), p.reference(d));
            EXPECT_TRUE(e.root_mean_square <= k_root_mean_square && e.largest <= k_largest)
                << "errors " << e.root_mean_square << ", at most " << e.largest << ": direction " << static_cast<int>(d)
                << ", x " << s.n << "x" << s.c << "x" << s.h << "x" << s.w << ", filter " << s.k << "x" << s.taps << "x"
                << s.taps << ", padding " << s.pad;
        }
}

TEST_F(cudnn_winograd, Variable_KeepsToTheDirectSum)
{
    const auto equals_direct_sum = [&](direction d) {
        const problem p({5, 32, 12, 12, 32, 3, 1});
        return run(p.f, d) == run(p.f, d, 0);
    };
    for (const auto d : {direction::forward, direction::backward_filter}) { // backward data has no algorithm 0 in NHWC
        const environment_variable off("NIN_HOST_WINOGRAD", "0");
        EXPECT_IN_OWN_PROCESS(EXPECT_TRUE(equals_direct_sum(d)));
    }
    const environment_variable on("NIN_HOST_WINOGRAD", "1");
    EXPECT_IN_OWN_PROCESS(EXPECT_FALSE(equals_direct_sum(direction::forward)));
}

} // namespace
} // namespace nin::tests
