// The lists of boards and of posts, and what they hear of the live channel and of the outbox.
import { api } from '../api/api';
import type { Board, Post } from '../api/generated';
import { keepBoards, keepPosts } from './entities';
import { PagedList, Shelf } from './paged';

export type Sort = 'new' | 'agreed';
const PAGE = 20;

const boardShelf = new Shelf<PagedList<Board>>(1);
const postShelf = new Shelf<PagedList<Post>>(12);

export function boardList(): PagedList<Board> {
  return boardShelf.take(
    'boards',
    () =>
      new PagedList<Board>({
        read: async (cursor) => (await api.listBoards({ limit: 50, cursor })).data,
        keep: keepBoards,
        id: (board) => board.slug,
      }),
  );
}

function postKey(board: string, sort: Sort): string {
  return `${board} ${sort}`;
}

export function postList(board: string, sort: Sort): PagedList<Post> {
  return postShelf.take(
    postKey(board, sort),
    () =>
      new PagedList<Post>({
        read: async (cursor) => (await api.listPosts({ board, sort, limit: PAGE, cursor })).data,
        keep: keepPosts,
        id: (post) => post.id,
      }),
  );
}

/** A new post goes on top of the list of new ones, if that is on the shelf. */
export function addPost(post: Post): void {
  postShelf.peek(postKey(post.board_slug, 'new'))?.addFirst(post.id);
}

export function forgetLists(): void {
  boardShelf.clear();
  postShelf.clear();
}
