// kernels/loss.cu against double precision.
#include "kernel_launch.h"

#include <algorithm>
#include <numeric>

namespace nin::tests
{
namespace
{

template <typename Type> struct loss_case {
    std::vector<typename Type::storage> logits; // (n, classes)
    std::vector<int32_t> labels;                // the data set's
    std::vector<int32_t> indices;               // (n)
    int32_t classes;
    float gradient_scale = 1.0f, loss_scale = 1.0f, label_smoothing = 0.0f;
};

template <typename Type> struct loss_result {
    std::vector<float> loss;
    std::vector<uint8_t> correct;
    std::vector<typename Type::storage> dlogits;
};

enum class gradient { separate, in_place, none };

template <typename Type> class kernel_loss : public kernel_test
{
  protected:
    using storage = typename Type::storage;

    static loss_result<Type> run(const loss_case<Type>& c, gradient where = gradient::separate)
    {
        const size_t n = c.indices.size();
        const device_array<storage> logits(c.logits), dlogits(c.logits.size());
        const device_array<int32_t> labels(c.labels);
        const device_array<uint8_t> correct(n);
        const device_array<int32_t> indices(c.indices);
        const device_array<float> loss(n);
        const device_array<kernels::step_state> state({{0.1f, c.loss_scale, 0, 0}});
        const CUdeviceptr target = where == gradient::separate   ? dlogits.address()
                                   : where == gradient::in_place ? logits.address()
                                                                 : k_null;
        launch("loss", std::string("softmax_cross_entropy_") + Type::name, 2, 128, logits.address(), labels.address(),
               indices.address(), state.address(), loss.address(), correct.address(), target,
               static_cast<int32_t>(c.labels.size()), static_cast<int32_t>(n), c.classes, c.gradient_scale,
               c.label_smoothing);
        return {loss.download(), correct.download(),
                where == gradient::in_place ? logits.download() : dlogits.download()};
    }

    static std::vector<double> row_values(const loss_case<Type>& c, size_t row)
    {
        std::vector<double> values;
        for (int32_t k = 0; k < c.classes; ++k)
            values.push_back(Type::value(c.logits[row * c.classes + k]));
        return values;
    }

    static std::vector<double> softmax(const std::vector<double>& row)
    {
        const double max = *std::max_element(row.begin(), row.end());
        std::vector<double> p;
        for (const double l : row)
            p.push_back(std::exp(l - max));
        const double sum = std::accumulate(p.begin(), p.end(), 0.0);
        for (double& value : p)
            value /= sum;
        return p;
    }

    // Half a step of the stored type, relative.
    static double storage_error()
    {
        return std::is_same_v<Type, f32_type> ? 0x1p-24 : std::is_same_v<Type, f16_type> ? 0x1p-11 : 0x1p-8;
    }

    static void expect_correct(const loss_case<Type>& c)
    {
        const loss_result<Type> result = run(c);
        const double scale = static_cast<double>(c.gradient_scale) * c.loss_scale;
        for (size_t r = 0; r < c.indices.size(); ++r) {
            const std::vector<double> row = row_values(c, r), p = softmax(row);
            const int label = c.labels[c.indices[r]];
            const double max = *std::max_element(row.begin(), row.end());
            double sum = 0;
            double target = 0; // the mean over the target of the distances from the maximum
            const double smoothing = c.label_smoothing;
            for (const double l : row) {
                sum += std::exp(l - max);
                target += smoothing / c.classes * (l - max);
            }
            target += (1 - smoothing) * (row[label] - max);
            const double loss = std::log(sum) - target;
            // Near 0 the logarithm's error, and the float subtraction l - max, which is exact to 2^-24 relative; a mean
            // over the target errs by its 37 additions at most.
            expect_near(result.loss[r], loss, 0x1p-20, smoothing == 0 ? 0x1p-21 : 0x1p-18, r);
            EXPECT_EQ(result.correct[r], std::max_element(row.begin(), row.end()) - row.begin() == label) << r;
            for (int32_t k = 0; k < c.classes; ++k)
                // The documented error of a probability; 2^-25 is half of f16's smallest step.
                expect_near(Type::value(result.dlogits[r * c.classes + k]),
                            (p[k] - (1 - smoothing) * (k == label) - smoothing / c.classes) * scale,
                            0x1p-20 * scale + 0x1p-25, storage_error(), r * c.classes + k);
        }
    }

    static loss_case<Type> random_case(size_t n, int32_t classes, double spread)
    {
        loss_case<Type> c;
        c.classes = classes;
        c.logits = random_elements<Type>(n * classes, spread, 5);
        for (size_t i = 0; i < 3 * n; ++i)
            c.labels.push_back(i * 7 % classes);
        for (size_t i = 0; i < n; ++i)
            c.indices.push_back(static_cast<int32_t>((i * 5 + 2) % (3 * n)));
        return c;
    }
};
TYPED_TEST_SUITE(kernel_loss, element_types);

TYPED_TEST(kernel_loss, loss_gradient_and_accuracy_equal_the_formula)
{
    for (const auto& [n, classes] :
         {std::pair<size_t, int32_t>{1, 10}, {3, 1}, {128, 10}, {96, 33}, {5, 32}, {150, 1000}})
        for (const double spread : {1.0, 8.0}) {
            SCOPED_TRACE(testing::Message() << n << " rows, " << classes << " classes, spread " << spread);
            loss_case<TypeParam> c = this->random_case(n, classes, spread);
            c.gradient_scale = 1.0f / static_cast<float>(n);
            this->expect_correct(c);
            c.loss_scale = 1024.0f;
            this->expect_correct(c);
            c.label_smoothing = 0.1f;
            this->expect_correct(c);
        }
}

TYPED_TEST(kernel_loss, huge_logits_do_not_overflow)
{
    loss_case<TypeParam> c = this->random_case(6, 10, 1.0);
    for (size_t i = 0; i < c.logits.size(); ++i)
        c.logits[i] = TypeParam::encoded(i % 3 == 0 ? 10000.0 : -10000.0 - 64.0 * static_cast<double>(i % 5));
    this->expect_correct(c);
}

TYPED_TEST(kernel_loss, gradient_may_replace_the_logits_or_be_left_out)
{
    using storage = typename TypeParam::storage;
    const loss_case<TypeParam> c = this->random_case(50, 37, 2.0);
    const loss_result<TypeParam> separate = this->run(c), in_place = this->run(c, gradient::in_place),
                                 none = this->run(c, gradient::none);
    EXPECT_EQ(std::memcmp(separate.dlogits.data(), in_place.dlogits.data(), c.logits.size() * sizeof(storage)), 0);
    EXPECT_EQ(separate.loss, in_place.loss);
    EXPECT_EQ(separate.loss, none.loss);
    EXPECT_EQ(separate.correct, none.correct);
    const std::vector<uint8_t> poison(c.logits.size() * sizeof(storage), 0xa5);
    EXPECT_EQ(std::memcmp(none.dlogits.data(), poison.data(), poison.size()), 0);
}

TYPED_TEST(kernel_loss, first_of_equal_maxima_is_the_prediction)
{
    loss_case<TypeParam> c;
    c.classes = 40;
    c.labels = {35, 3, 0, 39};
    c.indices = {0, 1, 2, 3};
    c.logits.assign(4 * 40, TypeParam::encoded(1.0));
    // Row 0 and 1: classes 3 and 35, which one lane and the tree compare. Rows 2 and 3: all 40 equal.
    for (const size_t i : {3u, 35u, 43u, 75u})
        c.logits[i] = TypeParam::encoded(2.0);
    EXPECT_EQ(this->run(c).correct, (std::vector<uint8_t>{0, 1, 1, 0}));
}

TYPED_TEST(kernel_loss, bad_label_index_or_logit_makes_the_sample_nan)
{
    loss_case<TypeParam> c;
    c.classes = 10;
    c.labels = {3, 10, -1, 4};
    c.indices = {0, 1, 2, -1, 4, 3, 0, 0};
    c.logits = random_elements<TypeParam>(80, 1.0, 6);
    c.logits[5 * 10 + 4] = TypeParam::encoded(NAN); // the label's own logit, which also compares as the first maximum
    c.logits[6 * 10 + 9] = TypeParam::encoded(NAN);
    c.logits[7 * 10 + 3] = TypeParam::encoded(INFINITY);
    const loss_result<TypeParam> result = this->run(c);
    EXPECT_TRUE(std::isfinite(result.loss[0]));
    for (size_t r = 1; r < 8; ++r) {
        EXPECT_TRUE(std::isnan(result.loss[r])) << r;
        if (r < 7) {
            EXPECT_EQ(result.correct[r], 0) << r;
            for (size_t k = 0; k < 10; ++k)
                EXPECT_TRUE(std::isnan(TypeParam::value(result.dlogits[10 * r + k]))) << r << ", " << k;
        }
    }
    for (size_t k = 0; k < 10; ++k)
        EXPECT_TRUE(std::isfinite(TypeParam::value(result.dlogits[k]))) << k;
}

TYPED_TEST(kernel_loss, one_nan_logit_anywhere_denies_a_right_answer)
{
    loss_case<TypeParam> c;
    c.classes = 70;
    c.labels = {3};
    c.indices.assign(70, 0);
    c.logits.assign(70 * 70, TypeParam::encoded(-1.0));
    for (size_t r = 0; r < 70; ++r) {
        c.logits[r * 70 + 3] = TypeParam::encoded(10.0);
        if (r != 3)
            c.logits[r * 70 + r] = TypeParam::encoded(NAN);
    }
    const loss_result<TypeParam> result = this->run(c);
    for (size_t r = 0; r < 70; ++r) {
        EXPECT_EQ(result.correct[r], r == 3) << r;
        EXPECT_EQ(std::isnan(result.loss[r]), r != 3) << r;
    }
}

TYPED_TEST(kernel_loss, probabilities_are_the_softmax)
{
    for (const auto& [n, classes] : {std::pair<size_t, int32_t>{1, 10}, {130, 10}, {60, 1000}}) {
        const loss_case<TypeParam> c = this->random_case(n, classes, 4.0);
        const device_array<typename TypeParam::storage> logits(c.logits);
        const device_array<float> probabilities(c.logits.size());
        launch("loss", std::string("softmax_forward_") + TypeParam::name, 4, 128, logits.address(),
               probabilities.address(), static_cast<int32_t>(n), classes);
        const std::vector<float> actual = probabilities.download();
        for (size_t r = 0; r < n; ++r) {
            const std::vector<double> p = this->softmax(this->row_values(c, r));
            for (int32_t k = 0; k < classes; ++k)
                expect_near(actual[r * classes + k], p[k], 0x1p-20, 0, r * classes + k);
        }
    }
}

using kernel_loss_accumulate = kernel_test;

TEST_F(kernel_loss_accumulate, sums_grow_by_the_batch)
{
    // Multiples of 1/64, so that every order of summation gives the same.
    std::vector<float> loss;
    std::vector<uint8_t> correct;
    for (int i = 0; i < 1000; ++i) {
        loss.push_back(static_cast<float>(i * 37 % 256) / 64.0f);
        correct.push_back(i % 3 == 0);
    }
    const device_array<float> device_loss(loss);
    const device_array<uint8_t> device_correct(correct);
    const device_array<double> sums(std::vector<double>{0.25, 1, 2});
    double loss_sum = 0.25;
    int correct_sum = 1, sample_sum = 2;
    for (const int32_t n : {1000, 128, 1, 0, 37}) {
        launch("loss", "loss_accumulate", 1, 32, device_loss.address(), device_correct.address(), sums.address(), n,
               int32_t{0});
        for (int32_t i = 0; i < n; ++i) {
            loss_sum += loss[static_cast<size_t>(i)];
            correct_sum += correct[static_cast<size_t>(i)];
        }
        sample_sum += n;
        EXPECT_EQ(sums.download(), (std::vector<double>{loss_sum, 1.0 * correct_sum, 1.0 * sample_sum}));
    }
}

TEST_F(kernel_loss_accumulate, nan_loss_shows_in_the_sum)
{
    const device_array<float> loss(std::vector<float>{1.0f, NAN, 2.0f});
    const device_array<uint8_t> correct(std::vector<uint8_t>{1, 0, 1});
    const device_array<double> sums(std::vector<double>{0, 0, 0});
    launch("loss", "loss_accumulate", 1, 32, loss.address(), correct.address(), sums.address(), int32_t{3}, int32_t{0});
    EXPECT_TRUE(std::isnan(sums.download()[0]));
    EXPECT_EQ(sums.download()[1], 2.0);
}

TEST_F(kernel_loss_accumulate, only_finite_leaves_out_a_batch_with_nan)
{
    const device_array<float> loss(std::vector<float>{1.0f, NAN, 2.0f});
    const device_array<uint8_t> correct(std::vector<uint8_t>{1, 0, 1});
    const device_array<double> sums(std::vector<double>{4, 5, 6});
    launch("loss", "loss_accumulate", 1, 32, loss.address(), correct.address(), sums.address(), int32_t{3}, int32_t{1});
    EXPECT_EQ(sums.download(), (std::vector<double>{4, 5, 6}));
    launch("loss", "loss_accumulate", 1, 32, loss.address(), correct.address(), sums.address(), int32_t{1}, int32_t{1});
    EXPECT_EQ(sums.download(), (std::vector<double>{5, 6, 7}));
}

} // namespace
} // namespace nin::tests
