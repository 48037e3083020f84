// Stand-in for martinus/unordered_dense: what the mediasoup worker uses of it.
// Like the original it keeps the elements in a vector, in the order they came
// in, and an erased element's place is taken by the last one, so that walks see
// the same order (for one, the order of a transport's DTLS fingerprints, of
// which clients take the last). The index is a std::unordered_map with its own
// copy of each key: slower and larger than the original's.
#ifndef ANKERL_UNORDERED_DENSE_STANDIN_H
#define ANKERL_UNORDERED_DENSE_STANDIN_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ankerl::unordered_dense
{
	// The original mixes the bits of integers; std::hash does not, and the
	// worker combines these hashes, so mix them here too (splitmix64's finisher).
	template<typename T, typename Enable = void>
	struct hash : std::hash<T>
	{
	};

	template<typename T>
	struct hash<T, typename std::enable_if<std::is_integral<T>::value || std::is_enum<T>::value>::type>
	{
		uint64_t operator()(T value) const noexcept
		{
			auto x = static_cast<uint64_t>(value) + 0x9e3779b97f4a7c15ULL;

			x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
			x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;

			return x ^ (x >> 31);
		}
	};

	namespace standin
	{
		template<typename Key, typename Value, typename Hash, typename KeyEqual>
		class Table
		{
		public:
			using key_type       = Key;
			using value_type     = Value;
			using size_type      = size_t;
			using iterator       = typename std::vector<Value>::iterator;
			using const_iterator = typename std::vector<Value>::const_iterator;

			Table() = default;
			Table(std::initializer_list<Value> values)
			{
				for (const auto& value : values)
				{
					insert(value);
				}
			}

			iterator begin() { return values.begin(); }
			iterator end() { return values.end(); }
			const_iterator begin() const { return values.begin(); }
			const_iterator end() const { return values.end(); }
			const_iterator cbegin() const { return values.begin(); }
			const_iterator cend() const { return values.end(); }
			bool empty() const { return values.empty(); }
			size_t size() const { return values.size(); }

			void clear()
			{
				values.clear();
				index.clear();
			}

			void reserve(size_t count)
			{
				values.reserve(count);
				index.reserve(count);
			}

			bool contains(const Key& key) const { return index.find(key) != index.end(); }
			size_t count(const Key& key) const { return contains(key) ? 1 : 0; }

			iterator find(const Key& key)
			{
				const auto it = index.find(key);

				return it == index.end() ? values.end() : values.begin() + it->second;
			}

			const_iterator find(const Key& key) const
			{
				const auto it = index.find(key);

				return it == index.end() ? values.end() : values.begin() + it->second;
			}

			std::pair<iterator, bool> insert(const Value& value) { return insert(Value(value)); }

			std::pair<iterator, bool> insert(Value&& value)
			{
				const auto result = index.try_emplace(KeyOf(value), values.size());

				if (result.second)
				{
					values.push_back(std::move(value));
				}

				return { values.begin() + result.first->second, result.second };
			}

			template<typename Iterator>
			void insert(Iterator first, Iterator last)
			{
				for (; first != last; ++first)
				{
					insert(*first);
				}
			}

			template<typename... Args>
			std::pair<iterator, bool> emplace(Args&&... args)
			{
				return insert(Value(std::forward<Args>(args)...));
			}

			// Returns the place of the erased element, where the last one now is.
			iterator erase(const_iterator it)
			{
				const auto position = it - values.cbegin();
				const auto last     = static_cast<std::ptrdiff_t>(values.size()) - 1;

				index.erase(KeyOf(values[position]));

				if (position != last)
				{
					index[KeyOf(values[last])] = position;
					values[position]           = std::move(values[last]);
				}

				values.pop_back();

				return values.begin() + position;
			}

			iterator erase(iterator it) { return erase(const_iterator(it)); }

			size_t erase(const Key& key)
			{
				const auto it = find(key);

				if (it == values.end())
				{
					return 0;
				}

				erase(it);

				return 1;
			}

		protected:
			static const Key& KeyOf(const Value& value)
			{
				if constexpr (std::is_same<Key, Value>::value)
				{
					return value;
				}
				else
				{
					return value.first;
				}
			}

			std::vector<Value> values;
			std::unordered_map<Key, size_t, Hash, KeyEqual> index;
		};
	} // namespace standin

	template<
	  typename Key,
	  typename T,
	  typename Hash     = hash<Key>,
	  typename KeyEqual = std::equal_to<Key>>
	class map : public standin::Table<Key, std::pair<Key, T>, Hash, KeyEqual>
	{
		using Base = standin::Table<Key, std::pair<Key, T>, Hash, KeyEqual>;

	public:
		using mapped_type = T;
		using Base::Base;

		T& at(const Key& key)
		{
			const auto it = this->find(key);

			if (it == this->end())
			{
				throw std::out_of_range("ankerl::unordered_dense::map::at(): key not found");
			}

			return it->second;
		}

		const T& at(const Key& key) const
		{
			return const_cast<map*>(this)->at(key);
		}

		template<typename... Args>
		std::pair<typename Base::iterator, bool> try_emplace(const Key& key, Args&&... args)
		{
			const auto it = this->find(key);

			if (it != this->end())
			{
				return { it, false };
			}

			return this->insert(std::pair<Key, T>(
			  std::piecewise_construct,
			  std::forward_as_tuple(key),
			  std::forward_as_tuple(std::forward<Args>(args)...)));
		}

		template<typename M>
		std::pair<typename Base::iterator, bool> insert_or_assign(const Key& key, M&& value)
		{
			const auto result = try_emplace(key, std::forward<M>(value));

			if (!result.second)
			{
				result.first->second = std::forward<M>(value);
			}

			return result;
		}

		T& operator[](const Key& key)
		{
			return try_emplace(key).first->second;
		}
	};

	// NOTE: The elements of a set must not be changed through its iterators.
	template<typename Key, typename Hash = hash<Key>, typename KeyEqual = std::equal_to<Key>>
	class set : public standin::Table<Key, Key, Hash, KeyEqual>
	{
	public:
		using standin::Table<Key, Key, Hash, KeyEqual>::Table;
	};
} // namespace ankerl::unordered_dense

#endif
